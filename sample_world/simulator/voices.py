"""The protocols that the simulator speaks: ``voice.py`` in the folder of each kind, and plug-ins'.

Another package's voice is a class behind an entry point of the group ``hotswap.voices``.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from providers import kinds
from sample_world.simulator.speech import Voice


def _in_folders() -> Iterator[Voice]:
    for folder in pkgutil.iter_modules(kinds.__path__):
        name = f"{kinds.__name__}.{folder.name}.voice"
        if find_spec(name):  # a catalogue that comes as a package needs none
            yield from _of_module(import_module(name))


def _of_module(module: Any) -> Iterator[Voice]:
    for found in vars(module).values():
        is_voice = isinstance(found, type) and issubclass(found, Voice)
        if is_voice and found.__module__ == module.__name__:
            yield found()


def _of_plugins() -> Iterator[Voice]:
    for point in entry_points(group="hotswap.voices"):
        yield point.load()()


VOICES = {voice.kind: voice for voice in (*_in_folders(), *_of_plugins())}
