"""Providers, as people and programs set them up by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from providers.calls import NoRoom
from providers.models import ConnectionTest, Provider
from versioning.services import editing, locks, lookups
from versioning.services.actors import Actor
from versioning.services.errors import Busy, FieldError, Invalid
from versioning.services.transactions import one_transaction


def by_slug(*, slug: str) -> Provider:
    """Return the provider with the slug. Raises NotFound."""
    return lookups.one(Provider.objects.filter(slug=slug), missing=_missing(slug))


def exists(*, slug: str) -> bool:
    """Tell whether there is a provider of that name."""
    return Provider.objects.filter(slug=slug).exists()


def named_in_body(*, slug: str) -> Provider:
    """Return the provider that a request's body names. Raises Invalid."""
    found = Provider.objects.filter(slug=slug).first()
    if found is None:
        message = f"{_missing(slug)} Add it first."
        raise Invalid(message, [FieldError("/provider", "unknown", message)])
    return found


def add(
    *,
    slug: str,
    kind: str,
    base_url: str = "",
    api_key_env: str = "",
    name: str = "",
    options: Mapping[str, str] | None = None,
    actor: Actor,
) -> Provider:
    """Add a provider. Raises Invalid with an error for each field that can't be used.

    Its key may go to the address that is given with it, unless it serves elsewhere already: then
    it is sent to nobody before ``release_key``.
    """
    if exists(slug=slug):
        message = (
            f"A provider {slug} already exists. To change it: manage.py add_provider {slug} "
            f"--update, its page in the admin, or PATCH /api/providers/{slug}."
        )
        raise Invalid(message, [FieldError("/slug", "unique", message)])
    provider = Provider(
        slug=slug,
        kind=kind,
        base_url=base_url,
        api_key_env=api_key_env,
        name=name or slug,
        options=dict(options or {}),
    )
    actor.sign(provider)
    editing.check(provider)
    provider.release_first_key()
    editing.save_checked(provider)
    return provider


@one_transaction
def change(*, slug: str, changes: Mapping[str, Any], actor: Actor) -> Provider:
    """Set the given fields of a provider. Raises NotFound and Invalid."""
    found = _locked(slug)
    editing.set_fields(found, changes)
    actor.sign(found)
    editing.save_checked(found)
    return found


@dataclass(frozen=True, slots=True)
class Updated:
    """A provider, and the names of the fields that say something else than before."""

    provider: Provider
    fields: tuple[str, ...]


@one_transaction
def update(
    *, slug: str, changes: Mapping[str, Any], options: Mapping[str, str], actor: Actor
) -> Updated:
    """Set the given fields and options of a provider; an option of "" is taken away.

    For somebody at the machine itself: a new address or variable is released as for a provider
    that is added. Raises NotFound and Invalid.
    """
    found = _locked(slug)
    merged = {name: value for name, value in {**found.options, **options}.items() if value}
    wanted = {**changes, "options": merged}
    fields = tuple(name for name, value in wanted.items() if getattr(found, name) != value)
    if not fields:
        return Updated(found, ())
    editing.set_fields(found, {name: wanted[name] for name in fields})
    actor.sign(found)
    editing.check(found)
    if found.unreleased_pairs():
        found.release_first_key()
    editing.save_checked(found)
    return Updated(found, fields)


def test_connection(*, slug: str, now: datetime) -> ConnectionTest:
    """Ask a provider for its list once; nothing is stored. Raises NotFound and Busy."""
    try:
        return by_slug(slug=slug).test_connection(at=now)
    except NoRoom as error:
        raise Busy(str(error)) from error


@one_transaction
def release_key(*, slug: str, places: Collection[str], actor: Actor) -> Provider:
    """Let a provider's variables go to the places that its addresses name now.

    ``places`` are those that the releasing person has read, such as https://api.example.com:443:
    the history keeps who released what. Raises NotFound, and Invalid where they are others now.
    """
    found = _locked(slug)
    wanted = {pair.split(" ")[1] for pair in found.key_pairs()}
    if set(places) != wanted:
        message = f"Its key would go to {', '.join(sorted(wanted)) or 'nobody'}."
        raise Invalid(message, [FieldError("/places", "others", message)])
    found.release_key()
    actor.sign(found)
    editing.save_checked(found)
    return found


def _locked(slug: str) -> Provider:
    return locks.hold_one(Provider.objects.filter(slug=slug), missing=_missing(slug))


def _missing(slug: str) -> str:
    return f"There is no provider {slug}."
