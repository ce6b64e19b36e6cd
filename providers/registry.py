"""Which adapter speaks to which kind of provider: a folder of ours, or another package's."""

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from providers import kinds as folders
from providers import plugins, variables
from providers.base import Adapter, Refused, ServerPreset


class UnknownKind(Refused, LookupError):
    """No adapter speaks to the kind: the package that brought it may be gone."""


@cache
def _by_kind() -> dict[str, type[Adapter]]:
    """Return every adapter by its kind, in the order of their labels."""
    found = {adapter.kind: adapter for adapter in _in_folders()}

    def take(offered: Any) -> None:
        adapter = _fit(offered)
        if adapter.kind in found:
            raise plugins.Unfit(f"has the kind {adapter.kind}, which is taken")
        found[adapter.kind] = adapter

    plugins.take_all(plugins.ADAPTERS, take)
    return dict(sorted(found.items(), key=lambda item: item[1].label.casefold()))


def _fit(offered: Any) -> type[Adapter]:
    """Return what a plug-in offers where it is an adapter. Raises Unfit."""
    if not (isinstance(offered, type) and issubclass(offered, Adapter)):
        raise plugins.Unfit("is no class on providers.base.Adapter")
    for name in ("kind", "label"):
        value = getattr(offered, name, None)
        if not (isinstance(value, str) and value):
            raise plugins.Unfit(f"has no {name}")
    return offered


def _in_folders() -> Iterator[type[Adapter]]:
    for folder in pkgutil.iter_modules(folders.__path__):
        module = import_module(f"{folders.__name__}.{folder.name}.adapter")
        for found in vars(module).values():
            is_adapter = isinstance(found, type) and issubclass(found, Adapter)
            if is_adapter and found.__module__ == module.__name__:
                yield found


def adapter_class(kind: str) -> type[Adapter]:
    """Return the adapter for a kind; UnknownKind where there is none."""
    try:
        return _by_kind()[kind]
    except KeyError:
        known = ", ".join(_by_kind())
        raise UnknownKind(f"There is no kind of provider {kind!r}. Known: {known}.") from None


def adapter_classes() -> tuple[type[Adapter], ...]:
    """Return every adapter."""
    return tuple(_by_kind().values())


def kinds() -> list[tuple[str, str]]:
    """Return kind and label of every adapter, for form choices."""
    return [(adapter.kind, adapter.label) for adapter in adapter_classes()]


def public_address(kind: str) -> str:
    """Return the kind's own base URL; empty where it has none, or where there is no such kind."""
    return _by_kind()[kind].default_base_url if kind in _by_kind() else ""


def known_variables(kind: str) -> frozenset[str]:
    """Return the variables that a kind of provider, or a known server of it, uses for its keys."""
    return frozenset(name for name, _ in _usual_places(kind))


def known_pairs(kind: str) -> list[str]:
    """Return which variable of a kind goes to which public place without anybody's release."""
    return [pair for name, url in _usual_places(kind) for pair in variables.pairs([name], [url])]


def _usual_places(kind: str) -> list[tuple[str, str]]:
    """Return each variable with the base URL it is for; nothing for a kind that is gone."""
    adapter = _by_kind().get(kind)
    if adapter is None:
        return []
    own = (adapter.default_key_variable, *adapter.more_key_variables)
    places = [(name, adapter.default_base_url) for name in own]
    places += [(preset.key_variable, preset.base_url) for preset in adapter.presets]
    return [(name, url) for name, url in places if name]


def presets(kind: str = "") -> tuple[ServerPreset, ...]:
    """Return the known servers beside a kind's own that it speaks to; of every kind if empty."""
    adapters = adapter_classes() if not kind else (adapter_class(kind),)
    return tuple(preset for adapter in adapters for preset in adapter.presets)
