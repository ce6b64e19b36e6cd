"""The protocols that the simulator speaks, one module each."""
