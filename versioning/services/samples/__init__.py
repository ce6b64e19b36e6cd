"""Every AI request: taken in, placed, summed up, dropped in time."""
