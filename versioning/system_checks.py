"""Checks of the settings that Django runs at start."""
