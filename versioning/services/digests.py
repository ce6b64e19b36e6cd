"""What sums up for people: each morning what waits, on Monday what happened in a week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.urls import reverse

from versioning.domain import dates
from versioning.domain.events import EventKind
from versioning.domain.transitions import State
from versioning.models import Digest, Recipient, TrackedModel, UpgradeRecord
from versioning.models.upgrades import UpgradeRecordQuerySet
from versioning.services import clock as clock_of_people
from versioning.services import events, locks, recipients, sweeps, teams
from versioning.services.actors import Actor
from versioning.services.evidence import performance
from versioning.services.teams import Caller
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import retirement
from versioning.services.upgrades.traffic import live_requests

MORNING = time(8)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
RETIRES_WITHIN = timedelta(days=90)
SHOWN = 20
"""Lines of one part: more is no digest, and the pages have it all."""


@dataclass(frozen=True, slots=True)
class Text:
    title: str
    body: str


def write(*, now: datetime) -> int:
    """Write the digests that are due, each once, with the events that send them; return how many.

    In the recipient's own morning, or as soon after as a worker runs.
    """
    written: list[bool] = []
    due = [
        (recipient, span)
        for recipient in Recipient.objects.filter(enabled=True).order_by("pk")
        for span, wanted in (
            (Digest.Span.DAY, recipient.daily_digest),
            (Digest.Span.WEEK, recipient.weekly_digest),
        )
        if wanted
    ]
    sweeps.each(
        due,
        lambda each: written.append(_write(each[0], span=each[1], now=now)),
        subject=lambda each: f"Digest of the {each[1].value} for {each[0]}",
        now=now,
    )
    return sum(written)


def _write(recipient: Recipient, *, span: Digest.Span, now: datetime) -> bool:
    local = now.astimezone(recipients.zone_of(recipient))
    day = local.date()
    if span is Digest.Span.WEEK:
        day -= timedelta(days=day.weekday())
    morning = datetime.combine(day, MORNING, tzinfo=local.tzinfo)
    if now < morning or recipient.created_at > morning:
        return False  # whoever was added since begins with the next
    if recipient.digests.filter(span=span, day=day).exists():
        return False
    text = _of_the_day(recipient) if span is Digest.Span.DAY else _of_the_week(recipient, now=now)
    return text is not None and _keep(recipient, span=span, day=day, text=text, now=now)


@one_transaction
def _keep(recipient: Recipient, *, span: Digest.Span, day: date, text: Text, now: datetime) -> bool:
    locks.take(Recipient.objects.filter(pk=recipient.pk))
    digest, is_new = Digest.objects.get_or_create(
        recipient=recipient,
        span=span,
        day=day,
        defaults={"title": text.title[:200], "body": text.body, "written_at": now},
    )
    if is_new:
        events.write(
            EventKind.DIGEST,
            sentence=f"{recipient.name}: {digest.title}",
            actor=Actor.scheduler(),
            now=now,
            details={
                "digest_id": digest.pk,
                "recipient": recipient.name,
                "span": span.value,
                "day": day.isoformat(),
            },
        )
    return is_new


def _of_the_day(recipient: Recipient) -> Text | None:
    """Say what waits for a decision; None where nothing does: nobody is told of nothing."""
    lines = list(_waiting(recipient))
    if not lines:
        return None
    return Text(
        f"Hotswap: {_count(len(lines), 'upgrade waits', 'upgrades wait')} for a decision",
        _part("Waits for a decision", lines),
    )


def _of_the_week(recipient: Recipient, *, now: datetime) -> Text:
    parts = [
        _part("Moved", list(_moved(recipient, now=now))),
        _part("Waits for a decision", list(_waiting(recipient))),
        _part("Retires within 90 days", list(_retiring(recipient, now=now))),
        _part("Saved", [_saved(recipient, now=now)]),
    ]
    return Text("Hotswap: the week", "\n\n".join(parts))


def _part(title: str, lines: list[str]) -> str:
    shown = lines[:SHOWN] or ["nothing"]
    if len(lines) > SHOWN:
        shown.append(f"and {len(lines) - SHOWN} more")
    return "\n".join([f"{title}:", *(f"- {line}" for line in shown)])


def _waiting(recipient: Recipient) -> Iterator[str]:
    waiting = _theirs(UpgradeRecord.objects.with_versions().recommended(), recipient)
    for record in waiting.urgent_first():
        since = f", since {dates.day(record.recommended_at)}" if record.recommended_at else ""
        by = f", retires on {dates.day(record.urgent_on)}" if record.urgent_on else ""
        yield f"{record}{since}{by}{_link(record)}"


def _moved(recipient: Recipient, *, now: datetime) -> Iterator[str]:
    moved = UpgradeRecord.objects.with_versions().filter(
        state__in=[State.COMPLETED, State.ROLLED_BACK],
        completed_at__gt=now - WEEK,
        completed_at__lte=now,
    )
    for record in _theirs(moved, recipient).order_by("completed_at", "pk"):
        yield f"{record}{_link(record)}"


def _retiring(recipient: Recipient, *, now: datetime) -> Iterator[str]:
    slug = recipient.provider.slug if recipient.provider else ""
    caller = Caller(team_id=recipient.team_id)
    due = retirement.due(now=now, provider_slug=slug, owner=recipient.owner, caller=caller)
    until = clock_of_people.local_day(now + RETIRES_WITHIN)
    for clock in retirement.clocks([each for each in due if each.retirement.on <= until]):
        yield (
            f"{clock.tracked_model} on {dates.day(clock.retirement.on)}, start by "
            f"{dates.day(clock.latest_start)}"
        )


def _saved(recipient: Recipient, *, now: datetime) -> str:
    """Say what the moves of the last quarter saved in the week, by what requests cost since.

    Of a move whose cost is unknown on either side nothing is reckoned.
    """
    moved = UpgradeRecord.objects.with_versions().filter(
        state=State.COMPLETED,
        completed_at__gt=now - RETIRES_WITHIN,
        from_version__isnull=False,
    )
    now_used = set(TrackedModel.objects.active().values_list("current_version_id", flat=True))
    pairs = [
        (record.from_version_id, record.to_version_id)
        for record in _theirs(moved, recipient).order_by("pk")
        if record.from_version_id and record.to_version_id in now_used
    ]
    figures = performance.figures(version_ids={each for pair in pairs for each in pair})
    requests = live_requests(version_ids=[new for _, new in pairs], since=now - WEEK)
    saved, unknown = Decimal(0), 0
    for old, new in pairs:
        before, after = figures[old].total.cost_usd, figures[new].total.cost_usd
        if before is None or after is None:
            unknown += 1
        else:
            saved += (before - after) * requests[new]
    if not pairs:
        return "nothing moved within a quarter"
    if unknown == len(pairs):
        return f"unknown: what requests cost is not known of {_count(unknown, 'move', 'moves')}"
    rest = f" (unknown of {_count(unknown, 'move', 'moves')})" if unknown else ""
    what = "saved" if saved >= 0 else "spent more"
    return f"about ${abs(saved):,.2f} {what} in the week, against the versions before{rest}"


def _theirs(records: UpgradeRecordQuerySet, recipient: Recipient) -> UpgradeRecordQuerySet:
    records = teams.visible(records, Caller(team_id=recipient.team_id))
    if recipient.provider_id:
        records = records.filter(tracked_model__provider=recipient.provider_id)
    if recipient.owner:
        records = records.filter(tracked_model__owner__iexact=recipient.owner)
    return records


def _link(record: UpgradeRecord) -> str:
    base = settings.HOTSWAP["PUBLIC_URL"]
    page = reverse("admin:versioning_upgraderecord_change", args=[record.pk])
    return f" {base}{page}" if base else ""


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
