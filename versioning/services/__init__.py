"""Verbs: each function is one transaction, or one conversation."""
