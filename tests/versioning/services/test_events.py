"""Events: one for each move, in the transaction of the move, in the order of the moves."""

import ast
import datetime as dt
import inspect
from pathlib import Path
from typing import Any

import pytest

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import (
    NOW,
    ModelVersionFactory,
    ProviderFactory,
    UpgradeRecordFactory,
    UserFactory,
    tracked,
)
from tests.versioning.services.test_course import (
    BAD,
    DAY,
    GOOD,
    HOUR,
    STEPS,
    approve,
    general,
    measured,
    sweep,
)
from versioning import services
from versioning.domain.events import EventKind, kind_of_move, pause_after
from versioning.domain.transitions import ALLOWED, State
from versioning.models import Delivery, Event, Notice, TrackedModel, UpgradeRecord, Watch
from versioning.services import events, versions
from versioning.services.actors import Actor
from versioning.services.upgrades import canary, decisions, moves, watching

pytestmark = pytest.mark.django_db

MOVES = [(before, after) for before, nexts in ALLOWED.items() for after in sorted(nexts)]
CREATED = [State.RECOMMENDED, State.COMPLETED]


def kinds(record: UpgradeRecord | None = None) -> list[str]:
    found = Event.objects.order_by("pk")
    return [each.kind for each in (found.filter(record=record) if record else found)]


def at(state: State) -> UpgradeRecord:
    fields: dict[str, Any] = {"snoozed_until": NOW} if state is State.SNOOZED else {}
    if state in (State.COMPLETED, State.ROLLED_BACK):
        fields |= {"completed_at": NOW, "completion_number": 7}
    record: UpgradeRecord = UpgradeRecordFactory(state=state.value, **fields)
    Event.objects.all().delete()
    return record


def move(record: UpgradeRecord, to: State) -> None:
    extra: dict[str, Any] = {"changes": {"snoozed_until": NOW + DAY}} if to is State.SNOOZED else {}
    if to is State.COMPLETED:
        moves.complete(record_id=record.pk, actor=Actor.command(), now=NOW, reason="So.")
    else:
        moves.move(
            record_id=record.pk, to=to, actor=Actor.command(), now=NOW, reason="So.", **extra
        )


@pytest.mark.parametrize(("before", "after"), MOVES, ids=lambda state: str(state))
class TestEachMove:
    def test_it_writes_one_event(self, before: State, after: State) -> None:
        record = at(before)
        move(record, after)
        event = Event.objects.get()
        assert event.kind == kind_of_move(before=before, after=after)
        assert (event.record, event.tracked_model) == (record, record.tracked_model)
        assert (event.actor_kind, event.at) == ("command", NOW)
        assert event.payload["before"] == before.value
        assert event.payload["state"] == after.value
        assert event.payload["to"]["upstream_id"] == record.to_version.upstream_id
        assert "So." in event.sentence

    def test_without_its_event_nothing_moves(
        self, before: State, after: State, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = at(before)
        steps = record.steps.count()

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(events.Event.objects, "bulk_create", die)
        with pytest.raises(KeyboardInterrupt):
            move(record, after)
        record.refresh_from_db()
        assert (record.state, record.steps.count()) == (before.value, steps)
        record.tracked_model.refresh_from_db()
        assert record.tracked_model.current_version == record.from_version


@pytest.mark.parametrize("state", CREATED)
def test_a_new_record_is_an_event_too(state: State) -> None:
    model = tracked()
    newer = ModelVersionFactory(tracked_model=model)
    Event.objects.all().delete()
    record = UpgradeRecord(
        tracked_model=model,
        from_version=model.current_version,
        to_version=newer,
        state=state.value,
        origin="staff",
        step="minor",
    )
    moves.open_record(record, actor=Actor.command(), now=NOW, reason="So.")
    assert kinds() == [kind_of_move(before=None, after=state)]
    assert Event.objects.get().payload["before"] is None


def test_every_state_that_a_move_ends_in_has_a_kind() -> None:
    assert {kind_of_move(before=before, after=after) for before, after in MOVES}
    assert {kind_of_move(before=None, after=state) for state in CREATED} == {
        EventKind.RECOMMENDED,
        EventKind.MOVED,
    }


def test_only_moves_writes_states_of_upgrades() -> None:
    """So no other writer can forget the event."""
    root = Path(inspect.getfile(services)).parent.parent
    writers = set()
    for file in root.rglob("*.py"):
        if "migrations" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            text = ast.unparse(node.func)
            sets = {word.arg for word in node.keywords}
            if text.startswith("UpgradeRecord.objects") and text.endswith((".create", "_create")):
                writers.add(file.name)
            if text.startswith("UpgradeRecord.objects") and "update" in text and "state" in sets:
                writers.add(file.name)
            if text.startswith("UpgradeStep.objects") and text.endswith((".create", "_create")):
                writers.add(file.name)
    assert writers == {"moves.py"}


class TestJourneys:
    @pytest.fixture
    def record(self, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> UpgradeRecord:
        monkeypatch.setenv("SIMULATED_KEY", KEY)
        simulator.world.add("openai", "zeta-1")
        provider = ProviderFactory(
            base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
        )
        record: UpgradeRecord = UpgradeRecordFactory(tracked_model=tracked(provider=provider))
        Event.objects.all().delete()
        return record

    def test_a_canary_that_completes(self, record: UpgradeRecord, staff: Actor) -> None:
        general(canary_steps=STEPS, watch_days=1)
        approve(record, staff)
        sweep(at=NOW)
        measured(record, GOOD, share=0.2)
        for hours in (30, 60, 120, 180):
            sweep(at=NOW + hours * HOUR)
        assert kinds(record) == [
            "upgrade.decided",
            "canary.begun",
            "canary.advanced",
            "model.moved",
            "watch.ended",
        ]
        advanced = Event.objects.get(kind=EventKind.CANARY_ADVANCED)
        assert (advanced.payload["canary_step"], advanced.payload["weight"]) == (2, 0.5)
        assert Event.objects.get(kind=EventKind.WATCH_ENDED).payload["result"] == "good"

    def test_a_canary_that_is_aborted_by_itself_tells_people(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        general(canary_steps=STEPS)
        approve(record, staff)
        sweep(at=NOW)
        measured(record, BAD, share=0.2)
        sweep(at=NOW + 2 * HOUR)
        assert kinds(record)[-1] == "canary.aborted"
        assert Notice.objects.open().get().sentence == Event.objects.latest("pk").sentence

    def test_a_person_who_aborts_one_knows_it(self, record: UpgradeRecord, staff: Actor) -> None:
        general(canary_steps=STEPS)
        approve(record, staff)
        sweep(at=NOW)
        canary.abort(record_id=record.pk, actor=staff, now=NOW, reason="No.")
        assert kinds(record)[-1] == "canary.aborted"
        assert not Notice.objects.open().exists()

    def test_approvals(self, record: UpgradeRecord, staff: Actor) -> None:
        general(approvals_needed=2)
        approve(record, staff)
        assert kinds(record) == ["upgrade.approval_needed"]
        assert Event.objects.get().payload["missing"] == 1
        approve(record, Actor.of_user(UserFactory(username="grace")))
        assert kinds(record)[1:] == ["upgrade.decided", "model.moved"]

    def test_a_rollback_is_told_once_of_each_record(
        self, record: UpgradeRecord, staff: Actor
    ) -> None:
        approve(record, staff)
        back = decisions.roll_back(
            tracked_model_id=record.tracked_model_id, actor=staff, now=NOW, reason="Worse."
        )
        assert kinds(record) == ["upgrade.decided", "model.moved", "upgrade.rolled_back"]
        assert kinds(back) == ["model.moved"]
        moved = Event.objects.get(record=back)
        assert moved.payload["origin"] == "rollback"
        assert moved.payload["to"]["id"] == record.from_version_id

    def test_a_watch_that_another_move_ends(self, record: UpgradeRecord, staff: Actor) -> None:
        general(watch_days=3)
        approve(record, staff)
        decisions.roll_back(
            tracked_model_id=record.tracked_model_id, actor=staff, now=NOW, reason="Worse."
        )
        watching.evaluate(watch_id=Watch.objects.get(record=record).pk, now=NOW)
        ended = Event.objects.get(kind=EventKind.WATCH_ENDED)
        assert ended.payload["result"] == "overtaken"


class TestRetirement:
    def date_of(self, model: TrackedModel, day: dt.date | None) -> None:
        versions.change(
            version_id=model.current_version_id or 0,
            changes={"retires_on": day},
            actor=Actor.command(),
        )

    def test_a_date_is_told_when_it_is_set_moved_and_taken_back(self) -> None:
        model = tracked()
        Event.objects.all().delete()
        first, second = dt.date(2027, 1, 1), dt.date(2027, 2, 1)
        for day in (first, first, second, None):
            self.date_of(model, day)
        told = [
            (each.payload["before"], each.payload["retires_on"])
            for each in Event.objects.order_by("pk")
        ]
        assert told == [
            (None, "2027-01-01"),
            ("2027-01-01", "2027-02-01"),
            ("2027-02-01", None),
        ]
        assert Event.objects.earliest("pk").payload["is_current"] is True


class TestKept:
    def test_old_ones_go_but_for_those_that_wait(self) -> None:
        model = tracked()
        waits, gone = (
            Event.objects.create(
                kind=EventKind.REMINDER,
                version=1,
                at=NOW - dt.timedelta(days=91),
                tracked_model=model,
                actor_kind="scheduler",
                actor_name="scheduler",
            )
            for _ in range(2)
        )
        for event, state in ((waits, "pending"), (gone, "delivered")):
            Delivery.objects.create(
                event=event,
                tracked_model=model,
                channel="mail",
                to="ada@example.com",
                due_at=NOW,
                state=state,
                ended_at=None if state == "pending" else NOW,
            )
        begun = Event.objects.get(kind=EventKind.MOVED)
        assert events.forget_old(now=NOW) == 1
        assert set(Event.objects.all()) == {waits, begun}


@pytest.mark.django_db(transaction=True)
def test_none_is_written_outside_the_transaction_of_what_happened() -> None:
    model = tracked()
    with pytest.raises(RuntimeError, match="in the transaction"):
        write(model, before=None, reason="")


def write(model: TrackedModel, **details: object) -> Event:
    return events.write(
        EventKind.MOVED,
        tracked=model,
        record=UpgradeRecord.objects.filter(tracked_model=model).first(),
        sentence="It moved.",
        actor=Actor.command(),
        now=NOW,
        details=details,
    )


def test_nothing_slips_into_a_payload() -> None:
    with pytest.raises(ValueError, match="has the fields"):
        write(tracked(), before=None, reason="", prompt="What ails me?")


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (5, 16), (8, 128), (40, 240)])
def test_each_pause_is_twice_the_last_up_to_four_hours(attempts: int, minutes: int) -> None:
    pause = dt.timedelta(minutes=minutes)
    assert pause_after(attempts, luck=0.5) == pause
    assert pause_after(attempts, luck=0) == 0.8 * pause
    assert pause_after(attempts, luck=1) == 1.2 * pause
