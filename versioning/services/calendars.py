"""Calendars that people subscribe to: what retires, and until when each move can start."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from versioning.domain import dates
from versioning.domain.retirement import Precision
from versioning.models import CalendarFeed
from versioning.services import clock, editing, lookups
from versioning.services.actors import Actor
from versioning.services.teams import Caller
from versioning.services.upgrades import retirement
from versioning.services.upgrades.retirement import Clock

if TYPE_CHECKING:  # only a process that is asked for a calendar takes the library's memory
    from icalendar import Event

UNKNOWN = "There is no such calendar, or its address was taken back."


@dataclass(frozen=True, slots=True)
class NewFeed:
    """A calendar just made; its address, which holds the token, can't be read again later."""

    feed: CalendarFeed
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """Return where it is read, without the server's own address."""
        return reverse("calendar", args=[self.token])


def all_of_them() -> QuerySet[CalendarFeed]:
    """Return the calendars with their providers."""
    return CalendarFeed.objects.select_related("provider", "team")


def add(*, fields: Mapping[str, Any], actor: Actor) -> NewFeed:
    """Add a calendar with a token of its own, of which only the hash is kept. Raises Invalid."""
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed(**fields, hashed=_hash_of(token), made_by=actor.name)
    return NewFeed(editing.add(feed, actor=actor), token)


def read(*, token: str, now: datetime) -> bytes:
    """Return a calendar (iCalendar, RFC 5545); the same all day while nothing changes.

    Raises NotFound.
    """
    feed = lookups.one(all_of_them().filter(hashed=_hash_of(token)), missing=UNKNOWN)
    slug = feed.provider.slug if feed.provider else ""
    caller = Caller(team_id=feed.team_id)
    due = retirement.due(now=now, provider_slug=slug, owner=feed.owner, caller=caller)
    return _written(retirement.clocks(due), name=f"Hotswap: {feed.name}", now=now)


def _written(found: Sequence[Clock], *, name: str, now: datetime) -> bytes:
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Hotswap//AI model versions//EN")
    calendar.add("version", "2.0")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    # The start of the day: a stamp of this second would make each answer another one.
    stamp = datetime.combine(clock.utc_day(now), time.min, tzinfo=now.tzinfo)
    for each in found:
        model, day = each.tracked_model, each.retirement.on
        may = "may retire" if each.retirement.precision is Precision.FORECAST else "retires"
        about = f"{each.version.upstream_id}. {each.retirement.reason}"
        begin = f"Start the move of {model} today at the latest"
        why = f"{each.version.upstream_id} {may} on {dates.day(day)}. {each.warning}".strip()
        for kind, on, summary, text in (
            ("retires", day, f"{model} {may}", about),
            ("starts", each.latest_start, begin, why),
        ):
            calendar.add_component(
                _event(f"{kind}-{model.pk}", on, summary, text, page=_page(model.pk), stamp=stamp)
            )
    written: bytes = calendar.to_ical()
    return written


def _event(uid: str, day: date, summary: str, text: str, *, page: str, stamp: datetime) -> "Event":
    from icalendar import Event

    event = Event()
    event.add("uid", f"{uid}@hotswap")
    event.add("dtstamp", stamp)
    event.add("dtstart", day)
    event.add("summary", summary)
    event.add("description", text)
    event.add("transp", "TRANSPARENT")  # it takes nobody's time
    if page:
        event.add("url", page)
    return event


def _page(model_id: int) -> str:
    base = settings.HOTSWAP["PUBLIC_URL"]
    page = reverse("admin:versioning_trackedmodel_change", args=[model_id])
    return f"{base}{page}" if base else ""


def _hash_of(token: str) -> str:
    # 256 random bits: there is nothing to guess, so nothing to slow down.
    return hashlib.sha256(token.encode()).hexdigest()
