"""The outbox: at least once, in order for each model, and what can't go is seen."""

import contextlib
import datetime as dt
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, ClassVar

import pytest
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import NOW, tracked
from versioning.domain.events import MOST_ATTEMPTS, EventKind
from versioning.models import Delivery, DeliveryAttempt, Event, Notice, TrackedModel, UpgradeRecord
from versioning.services import channels, events, outbox
from versioning.services.actors import Actor
from versioning.services.channels.base import Addressed, Channel, NotDelivered

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
TAKERS = ("ann", "bob")
LEASE = outbox.MARGIN + MINUTE


class Killed(BaseException):
    """A worker that dies: nothing of it runs any further."""


@dataclass
class Pigeon(Channel):
    """A channel in memory that fails as it is told to."""

    name: ClassVar[str] = "pigeon"
    longest_s: ClassVar[float] = 30.0
    given: list[tuple[str, int]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    dice: random.Random | None = None
    lock: Lock = field(default_factory=Lock)

    def takers(self, events: Sequence[Event]) -> list[Addressed]:
        return [Addressed(event, taker, event.at) for event in events for taker in TAKERS]

    def deliver(self, event: Event, *, to: str) -> None:
        if to in self.fails:
            raise self.fails[to]
        luck = self.dice.random() if self.dice else 1.0
        if luck < 0.3:
            raise NotDelivered("Away.")
        if luck < 0.4:
            raise ValueError("never foreseen, with a secret")
        if luck < 0.5:
            raise Killed
        with self.lock:
            self.given.append((to, event.pk))
        if luck < 0.6:
            raise Killed


@pytest.fixture
def pigeon(monkeypatch: pytest.MonkeyPatch) -> Pigeon:
    pigeon = Pigeon()
    for module in (channels, events, outbox):
        monkeypatch.setattr(module, "CHANNELS", {"pigeon": pigeon})
    return pigeon


def happen(model: TrackedModel) -> Event:
    with transaction.atomic():
        return events.write(
            EventKind.MOVED,
            tracked=model,
            record=UpgradeRecord.objects.filter(tracked_model=model).first(),
            sentence="It moved.",
            actor=Actor.command(),
            now=NOW,
            details={"before": None, "reason": ""},
        )


def states() -> set[str]:
    return set(Delivery.objects.values_list("state", flat=True))


def test_each_taker_gets_each_event_once_and_in_order(pigeon: Pigeon) -> None:
    models = [tracked(), tracked()]
    made = [happen(model) for _ in range(3) for model in models]
    ours = [event.pk for event in Event.objects.order_by("pk")]
    assert len(made) == 6
    assert outbox.deliver_due(now=NOW) == len(ours) * 2
    assert outbox.deliver_due(now=NOW) == 0
    for taker in TAKERS:
        for model in models:
            own = set(model.events.values_list("pk", flat=True))
            got = [pk for to, pk in pigeon.given if to == taker and pk in own]
            assert got == sorted(own)
    assert states() == {"delivered"}


def test_one_that_fails_holds_up_its_model_and_taker_and_nobody_else(pigeon: Pigeon) -> None:
    stuck, other = tracked(), tracked()
    happen(stuck), happen(stuck), happen(other)
    pigeon.fails["ann"] = NotDelivered("Away.")
    outbox.deliver_due(now=NOW)
    ann = Delivery.objects.filter(to="ann")
    assert set(ann.values_list("state", "attempts", "last_error")) == {
        ("pending", 1, "Away."),
        ("pending", 0, ""),
    }
    assert set(Delivery.objects.filter(to="bob").values_list("state", flat=True)) == {"delivered"}

    pigeon.fails.clear()
    assert outbox.deliver_due(now=NOW) == 0
    outbox.deliver_due(now=NOW + 2 * MINUTE)
    assert states() == {"delivered"}
    got = [pk for to, pk in pigeon.given if to == "ann"]
    assert [pk for pk in got if Event.objects.get(pk=pk).tracked_model == stuck] == sorted(
        stuck.events.values_list("pk", flat=True)
    )


def test_it_is_given_up_after_days_and_the_next_ones_go(pigeon: Pigeon) -> None:
    happen(tracked())
    pigeon.fails["ann"] = NotDelivered("Away.")
    now = NOW
    first = Delivery.objects.filter(to="ann").earliest("event")
    while first.state == "pending":
        outbox.deliver_due(now=now)
        first.refresh_from_db()
        now += MINUTE * 10
    assert first.attempts == MOST_ATTEMPTS
    assert 16 * HOUR < now - NOW < 36 * HOUR
    assert first.log.count() == MOST_ATTEMPTS
    pigeon.fails.clear()
    outbox.deliver_due(now=now + DAY)
    rest = Delivery.objects.filter(to="ann").exclude(pk=first.pk)
    assert set(rest.values_list("state", flat=True)) == {"delivered"}


def test_what_never_will_be_taken_is_given_up_at_once(pigeon: Pigeon) -> None:
    happen(tracked())
    pigeon.fails["ann"] = NotDelivered("Gone for good.", is_permanent=True)
    outbox.deliver_due(now=NOW)
    assert set(Delivery.objects.filter(to="ann").values_list("state", "attempts")) == {("dead", 1)}


def test_a_channel_that_is_no_more_stops_nothing(pigeon: Pigeon) -> None:
    happen(tracked())
    Delivery.objects.filter(to="ann").update(channel="telex")
    outbox.deliver_due(now=NOW)
    assert "no channel telex" in Delivery.objects.filter(to="ann").latest("attempts").last_error


def test_what_nobody_foresaw_is_tried_again_and_told_without_its_words(pigeon: Pigeon) -> None:
    happen(tracked())
    pigeon.fails["ann"] = ValueError("a secret")
    outbox.deliver_due(now=NOW)
    told = Notice.objects.filter(kind="fault", subject__startswith="Delivery of event").first()
    assert told is not None
    assert "secret" not in told.sentence
    assert Delivery.objects.exclude(last_error="").get().last_error == "ValueError: see the log."


def test_the_lease_of_a_worker_that_died_ends(
    pigeon: Pigeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(tracked())
    pigeon.fails["ann"] = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        outbox.deliver_due(now=NOW)
    pigeon.fails.clear()
    outbox.deliver_due(now=NOW + outbox.MARGIN)
    assert "pending" in states()
    outbox.deliver_due(now=NOW + LEASE)
    assert states() == {"delivered"}


def test_every_try_is_kept_and_one_of_a_dead_worker_has_no_end(pigeon: Pigeon) -> None:
    happen(tracked())
    pigeon.fails["ann"] = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        outbox.deliver_due(now=NOW)
    pigeon.fails["ann"] = NotDelivered("Busy.", status=503)
    outbox.deliver_due(now=NOW + LEASE)
    pigeon.fails.clear()
    outbox.deliver_due(now=NOW + DAY)
    log = Delivery.objects.filter(to="ann").earliest("event").log.order_by("pk")
    died, refused, taken = log
    assert (died.duration_ms, died.error) == (None, "")
    assert NOW <= died.began_at < NOW + MINUTE
    assert (refused.status, refused.error) == (503, "Busy.")
    assert refused.duration_ms is not None
    assert (taken.status, taken.error) == (None, "")
    assert taken.duration_ms is not None


def test_a_taker_that_is_away_is_asked_once_in_a_run(pigeon: Pigeon) -> None:
    """Else its time limits would hold up what goes to others."""
    for _ in range(5):
        happen(tracked())
    pigeon.fails["ann"] = NotDelivered("No answer.", is_away=True)
    outbox.deliver_due(now=NOW)
    assert DeliveryAttempt.objects.filter(delivery__to="ann").count() == 1
    assert set(Delivery.objects.filter(to="bob").values_list("state", flat=True)) == {"delivered"}
    pigeon.fails.clear()
    outbox.deliver_due(now=NOW + HOUR)
    assert states() == {"delivered"}


@pytest.mark.parametrize("seed", range(10))
def test_whatever_fails_each_arrives_and_first_in_its_order(pigeon: Pigeon, seed: int) -> None:
    """Workers die before and after the handing over, takers are away, code breaks."""
    pigeon.dice = random.Random(seed)
    models = [tracked(), tracked()]
    for _ in range(4):
        for model in models:
            happen(model)
    now = NOW
    for _ in range(600):
        with contextlib.suppress(Killed):
            outbox.deliver_due(now=now)
        now += MINUTE * 11
        if "pending" not in states():
            break
    assert states() == {"delivered"}
    for taker in TAKERS:
        for model in models:
            own = sorted(model.events.values_list("pk", flat=True))
            got = [pk for to, pk in pigeon.given if to == taker and pk in own]
            assert list(dict.fromkeys(got)) == own


@pytest.mark.django_db(transaction=True)
def test_of_several_workers_at_once_one_gives_each_event(pigeon: Pigeon) -> None:
    models = [tracked() for _ in range(4)]
    for _ in range(5):
        for model in models:
            happen(model)

    def work(_: int) -> None:
        try:
            outbox.deliver_due(now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    outbox.deliver_due(now=NOW + LEASE)
    assert len(pigeon.given) == len(set(pigeon.given)) == Event.objects.count() * 2
    for model in models:
        own = sorted(model.events.values_list("pk", flat=True))
        assert [pk for to, pk in pigeon.given if to == "ann" and pk in own] == own


def test_a_lease_begins_with_its_try_and_not_with_the_run(
    pigeon: Pigeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what comes late in a long run would be another's before it is tried."""
    happen(tracked())
    passed = iter(range(0, 100_000, 100))
    monkeypatch.setattr(outbox, "monotonic", lambda: next(passed))
    monkeypatch.setattr(outbox, "RUN_S", 100_000)
    pigeon.fails["bob"] = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        outbox.deliver_due(now=NOW)
    died = DeliveryAttempt.objects.get(duration_ms=None)
    assert died.began_at > NOW + outbox.lease(died.delivery)
    assert died.delivery.due_at == died.began_at + outbox.lease(died.delivery)


@pytest.mark.parametrize("channel", channels.CHANNELS.values(), ids=lambda each: each.name)
def test_what_a_dead_worker_held_waits_for_no_more_than_two_minutes(channel: Channel) -> None:
    assert 0 < channel.longest_s <= 60
    held = Delivery(channel=channel.name, to="ann", event=Event())
    assert outbox.lease(held).total_seconds() == channel.longest_s + 30


class TestStuck:
    """Staff see it at the inbox, programs at /readyz, and what was given up is tried anew."""

    @pytest.fixture
    def dead(self, pigeon: Pigeon) -> Delivery:
        pigeon.fails["ann"] = NotDelivered("Gone for good.", is_permanent=True)
        happen(tracked())
        outbox.deliver_due(now=timezone.now())
        return Delivery.objects.filter(state="dead").latest("pk")

    def readyz(self, client: Client) -> Any:
        answer = client.get("/readyz")
        assert answer.status_code == 200
        return answer.json()["outbox"]

    def test_nothing_is(self, admin_client: Client) -> None:
        assert self.readyz(admin_client) == {
            "pending": 0,
            "oldest_s": None,
            "dead": 0,
            "stuck": False,
        }
        assert "go out" not in admin_client.get("/admin/").content.decode()

    def test_what_was_given_up(self, dead: Delivery, admin_client: Client) -> None:
        found = self.readyz(admin_client)
        assert found["stuck"]
        assert found["dead"] == 2
        page = admin_client.get("/admin/").content.decode()
        assert "2 were given up after many tries." in page
        Delivery.objects.update(ended_at=timezone.now() - outbox.TOLD_FOR)
        assert not self.readyz(admin_client)["stuck"]

    def test_what_waits_since_the_worker_is_gone(
        self, pigeon: Pigeon, admin_client: Client
    ) -> None:
        happen(tracked())
        found = self.readyz(admin_client)
        assert found["stuck"]
        assert found["pending"] == 4
        assert found["oldest_s"] > outbox.LATE.total_seconds()
        assert "4 wait to go out" in admin_client.get("/admin/").content.decode()

    def test_it_is_tried_anew(self, dead: Delivery, pigeon: Pigeon, admin_client: Client) -> None:
        pigeon.fails.clear()
        page = reverse("admin:versioning_delivery_changelist")
        chosen = {"action": "try_anew", "_selected_action": [dead.pk]}
        answer = admin_client.post(page, chosen, follow=True)
        assert "1 will be delivered again" in answer.content.decode()
        dead.refresh_from_db()
        assert (dead.state, dead.attempts, dead.ended_at) == ("pending", 0, None)
        with pytest.raises(outbox.StillWaits):
            outbox.try_anew(delivery_id=dead.pk, actor=Actor.command(), now=NOW)

    def test_what_was_taken_and_lost_goes_again_before_the_later_ones(self, pigeon: Pigeon) -> None:
        model = tracked()
        happen(model)
        outbox.deliver_due(now=NOW)
        lost = Delivery.objects.filter(to="ann", tracked_model=model).earliest("event")
        later = happen(model)
        outbox.try_anew(delivery_id=lost.pk, actor=Actor.command(), now=NOW)
        pigeon.given.clear()
        outbox.deliver_due(now=NOW)
        assert [pk for to, pk in pigeon.given if to == "ann"] == [lost.event_id, later.pk]

    def test_each_try_is_on_the_page(self, dead: Delivery, admin_client: Client) -> None:
        page = admin_client.get(reverse("admin:versioning_delivery_change", args=[dead.pk]))
        assert "Gone for good." in page.content.decode()
