"""The sample world of ``make demo``: six weeks of a team with simulated providers.

For development: the wheel leaves it out, and what ships never imports it.
"""
