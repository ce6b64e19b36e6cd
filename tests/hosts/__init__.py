"""Several machines on this one: each host is a network namespace of its own, on one bridge."""
