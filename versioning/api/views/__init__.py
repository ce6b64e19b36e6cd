"""Views by noun: each reads its input, calls one service and shows the result."""
