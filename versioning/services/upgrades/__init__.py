"""The course of an upgrade record, from recommendation to the way back."""
