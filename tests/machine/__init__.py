"""A world for all actors at once: what they do, what may go wrong, what must always hold."""
