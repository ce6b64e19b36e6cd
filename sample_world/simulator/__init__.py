"""A small server that speaks the providers' protocols over real HTTP, for demo and tests."""

from sample_world.simulator.server import Simulator

__all__ = ["Simulator"]
