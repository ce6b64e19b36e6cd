"""Workers that are killed: a process that forks workers, and tests that count what they did."""
