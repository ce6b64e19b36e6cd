"""Whose request a span tells of: by the server's address, else by the name that it gives.

The rules, in this order (docs/integrations.md repeats them):

1. The address and port of a provider here: that one. Where the span tells no port, its address
   must be that of one provider alone; another port is another server.
2. The slug of a provider here: that one, unless it has the same host and another port.
3. A name that conventions or libraries give a kind or a known server: the one provider here of
   that kind. Where the span tells an address that is nobody's here, only one without an address
   of its own can be meant.
4. Any other name stays a name, and an address without a name is one: seen, not tracked.
5. Nothing told: the model's own name decides, where one provider alone has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from providers import registry
from providers.models import Provider
from versioning.services.samples.provider_names import KIND_OF
from versioning.services.samples.trace_format import Scalar
from versioning.services.samples.trace_names import HOST, PORT

_SURFACES = ("chat", "responses", "messages", "completion", "embedding", "textEmbedding", "image")
"""Vercel's SDK adds the part of the API that was called: ``openai.chat``."""

_USUAL_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class _Place:
    slug: str
    kind: str
    host: str
    port: int | None
    has_own_address: bool


@dataclass(frozen=True, slots=True)
class Providers:
    """The names and places of the providers here."""

    places: Sequence[_Place]
    servers: Mapping[str, tuple[str, int | None]]
    """Host and port of the servers that are known by name, such as groq."""
    _told: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """What was told already, and whom it means: most spans of an export tell the same."""

    @classmethod
    def load(cls) -> Providers:
        """Read them; one query."""
        rows = Provider.objects.values_list("slug", "kind", "base_url")
        servers = {preset.slug: _place(preset.base_url) for preset in registry.presets()}
        return cls([_place_of(*row) for row in rows], servers)

    def whose(self, told: Mapping[str, Scalar], *, named: str) -> str:
        """Return the slug or kind of whom the request went to, else a name that nobody has here.

        Empty where nothing is told: the model's own name decides then.
        """
        key = (str(told.get(HOST, "")), str(told.get(PORT, "")), named)
        if key not in self._told:
            self._told[key] = self._meant(*key)
        return self._told[key]

    def _meant(self, host: str, port_told: str, named: str) -> str:
        host, port = host.strip().lower(), _port(port_told)
        at_host = [place for place in self.places if host and place.host == host]
        exact = [place for place in at_host if port is None or place.port in (port, None)]
        if len(exact) == 1:
            return exact[0].slug
        name = _plain(named)
        others = exact or [place for place in self.places if place not in at_host]
        if any(place.slug == name for place in others):
            return name
        meant = [
            place
            for place in self._named(name, others)
            if exact or not (host and place.has_own_address)
        ]
        if len(meant) == 1:
            return meant[0].slug
        return self._as_name(name, host=host, port=port)

    def _named(self, name: str, places: Sequence[_Place]) -> list[_Place]:
        """Return the providers that the name means by a rule: a known server, else a kind."""
        server = self.servers.get(name)
        at_server = [p for p in places if server and (p.host, p.port) == server]
        return at_server or [place for place in places if place.kind == name]

    def _as_name(self, name: str, *, host: str, port: int | None) -> str:
        """Return a name for a provider that can't be told or isn't here.

        It must not be one that samples find a provider by, so a kind that is used here gets
        its address, or a question mark.
        """
        address = host if port is None else f"{host}:{port}"
        if not name:
            return address[:200]
        taken = {word for place in self.places for word in (place.slug, place.kind)}
        return (f"{name}@{address or '?'}" if name in taken else name)[:200]


def _plain(named: str) -> str:
    name = named.strip()
    first, _, last = name.rpartition(".")
    name = first if first and last in _SURFACES else name
    return KIND_OF.get(name.lower(), name)


def _port(told: str) -> int | None:
    text = told.removesuffix(".0")
    return int(text) if text.isdecimal() and len(text) <= 5 else None


def _place_of(slug: str, kind: str, base_url: str) -> _Place:
    usual = _place(registry.public_address(kind))
    host, port = _place(base_url) if base_url else usual
    return _Place(slug, kind, host, port, has_own_address=(host, port) != usual)


def _place(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or _USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return "", None
