"""A folder for each kind of provider: its adapter, and its voice in the simulator.

The voice is for development: the wheel leaves it out.
"""
