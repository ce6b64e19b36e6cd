"""Seeded simulations that measure what docs/statistics.md promises."""
