"""The laws, read from the tables after each step in a handful of plain queries."""

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from versioning.domain.transitions import ALLOWED, UNDER_WAY, State
from versioning.models import (
    AutomationSwitch,
    ModelVersion,
    Policy,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)

FORWARD = {State.APPROVED, State.TESTING, State.CANARY, State.COMPLETED}


class Record(NamedTuple):
    pk: int
    tracked_model_id: int
    from_version_id: int | None
    to_version_id: int
    step: str
    origin: str
    reverses_id: int | None
    state: str
    completion_number: int | None

    FIXED = 7
    """So many columns never change."""


class Step(NamedTuple):
    pk: int
    record_id: int
    before: str
    after: str
    at: Any
    actor_kind: str
    actor_name: str
    user_id: int | None
    reason: str
    evidence_hash: str


class Version(NamedTuple):
    pk: int
    upstream_id: str
    gone_at: Any
    retires_on: Any
    released_on: Any


class Model(NamedTuple):
    pk: int
    current_version_id: int
    pinned: bool


class Switch(NamedTuple):
    pk: int
    on: bool


class Automation(NamedTuple):
    pk: int
    tracked_model_id: int
    automation: str | None
    minimum_age_days: int | None


class Held(NamedTuple):
    """What keeps things from going by themselves, as it was before the step."""

    pinned: Collection[int]
    frozen: bool
    switched_off: bool
    policies: dict[int, Automation]
    now: datetime


class Rows:
    """All rows of a table as tuples: the SQL is made once, since it is run after each step."""

    def __init__(self, rows: QuerySet[Any], kind: Any) -> None:
        found = rows.order_by("pk").values_list(*kind._fields)
        self.kind = kind
        self.sql, self.parameters = found.query.sql_with_params()

    def read(self) -> dict[int, Any]:
        with connection.cursor() as cursor:
            cursor.execute(self.sql, self.parameters)
            return {row[0]: self.kind(*row) for row in cursor.fetchall()}


class Laws:
    """Compares the tables with what they were before the step."""

    def __init__(self) -> None:
        self.switch = Rows(AutomationSwitch.objects.all(), Switch)
        self.policies = Rows(Policy.objects.all(), Automation)
        self.tables = [
            Rows(UpgradeRecord.objects.all(), Record),
            Rows(UpgradeStep.objects.all(), Step),
            Rows(ModelVersion.objects.all(), Version),
            Rows(TrackedModel.objects.all(), Model),
        ]
        self.records: dict[int, Record] = {}
        self.steps: dict[int, Step] = {}
        self.versions: dict[int, Version] = {}
        self.models: dict[int, Model] = {}
        self.new_steps: list[Step] = []
        self.news: list[str] = []
        self.missed: Counter[str] = Counter()
        self.missing_since: dict[str, datetime] = {}
        self.last_listing: datetime | None = None

    def look(self, *, held: Held, checked: bool) -> None:
        """Read the tables and say which law is broken, by AssertionError."""
        records, steps, versions, models = (table.read() for table in self.tables)
        self._keep_history(records, steps, versions)
        self.new_steps = [step for pk, step in steps.items() if pk not in self.steps]
        gone = [
            version
            for pk, version in versions.items()
            if pk in self.versions and version.gone_at and not self.versions[pk].gone_at
        ]
        self.records, self.steps, self.versions, self.models = records, steps, versions, models
        self.news = [f"{step.actor_kind}: {step.after}" for step in self.new_steps]
        self.news += ["gone" for _ in gone]
        self._point_at_the_latest_completion()
        self._lead_on()
        self._have_one_under_way()
        self._held_what_was_held(held)
        assert checked or not gone, f"law 5: gone without a check: {gone}"
        for version in gone:
            self._was_missed_often_enough(version)

    def what_holds(self, *, freezes: Collection[tuple[datetime, datetime]], now: datetime) -> Held:
        return Held(
            pinned={model.pk for model in self.models.values() if model.pinned},
            frozen=any(start <= now < end for start, end in freezes),
            switched_off=any(not row.on for row in self.switch.read().values()),
            policies={row.tracked_model_id: row for row in self.policies.read().values()},
            now=now,
        )

    def note_listing(
        self, listed: Collection[str], *, released: Collection[str], now: datetime
    ) -> None:
        """Count a good listing, for law 5; ``released`` are the ids of all there ever was."""
        for name in released:
            if name in listed:
                self.missed.pop(name, None)
                self.missing_since.pop(name, None)
            else:
                self.missed[name] += 1
                self.missing_since.setdefault(name, now)
        self.last_listing = now

    def _keep_history(
        self,
        records: dict[int, Record],
        steps: dict[int, Step],
        versions: dict[int, Version],
    ) -> None:
        assert self.steps.items() <= steps.items(), "law 6: a step was lost or changed"
        assert self.versions.keys() <= versions.keys(), "law 6: a version was lost"
        for pk, old in self.records.items():
            new = records[pk]
            assert old[: Record.FIXED] == new[: Record.FIXED], "law 6: a record was rewritten"
            if old.completion_number is not None:
                assert new.completion_number == old.completion_number, "law 6: another number"

    def _point_at_the_latest_completion(self) -> None:
        latest: dict[int, Record] = {}
        for record in self.records.values():
            if record.completion_number is None or record.state == State.ROLLED_BACK:
                continue
            other = latest.get(record.tracked_model_id)
            if other is None or (other.completion_number or 0) < record.completion_number:
                latest[record.tracked_model_id] = record
        for model in self.models.values():
            assert model.current_version_id == latest[model.pk].to_version_id, "law 1"

    def _lead_on(self) -> None:
        """Each step leads from the one before, as the table allows; no record completes twice."""
        state: dict[int, str] = {}
        completed: Counter[int] = Counter()
        for step in self.steps.values():
            before = state.get(step.record_id)
            assert step.before == (before or ""), "law 2: two moves from one state"
            if step.before:
                assert State(step.after) in ALLOWED[State(step.before)], "law 2: not allowed"
            state[step.record_id] = step.after
            completed[step.record_id] += step.after == State.COMPLETED
        assert all(self.records[pk].state == last for pk, last in state.items()), "law 2: state"
        assert all(count <= 1 for count in completed.values()), "law 2: completed twice"

    def _have_one_under_way(self) -> None:
        counts: defaultdict[int, int] = defaultdict(int)
        for record in self.records.values():
            counts[record.tracked_model_id] += record.state in UNDER_WAY
        assert all(count <= 1 for count in counts.values()), "law 3"

    def _held_what_was_held(self, held: Held) -> None:
        for step in self.new_steps:
            if step.actor_kind != "scheduler" or step.after not in FORWARD:
                continue
            record = self.records[step.record_id]
            model = record.tracked_model_id
            if step.before == State.APPROVED and self._just_approved_by_staff(step):
                continue  # the first step of what a person has just decided
            assert model not in held.pinned, f"law 4: pinned: {step}"
            assert not held.frozen, f"law 4: frozen: {step}"
            assert not held.switched_off, f"law 4: automation is off: {step}"
            if step.after == State.APPROVED:
                policy = held.policies.get(model)
                assert policy is not None, "law 4: no policy says so"
                assert policy.automation == "after_gates", "law 4: the policy doesn't say so"
                assert record.step not in ("replacement", "requested"), "law 4: kind of step"
                self._is_old_enough(record, least=policy.minimum_age_days or 0, now=held.now)

    def _just_approved_by_staff(self, first: Step) -> bool:
        approval = [
            step
            for step in self.steps.values()
            if step.record_id == first.record_id and step.after == State.APPROVED
        ][-1]
        took = datetime.fromisoformat(str(first.at)) - datetime.fromisoformat(str(approval.at))
        return approval.actor_kind == "staff" and took <= timedelta(minutes=15)

    def _is_old_enough(self, record: Record, *, least: int, now: datetime) -> None:
        released = self.versions[record.to_version_id].released_on
        if least:
            assert released is not None, "law 4: of unknown age"
            # As it comes from the database: a date, or its text.
            age = now.date() - date.fromisoformat(str(released))
            assert age.days >= least, f"law 4: {age.days} days old"

    def _was_missed_often_enough(self, version: Version) -> None:
        name = version.upstream_id
        least: int = settings.HOTSWAP["GONE_AFTER_LISTINGS"]
        period: timedelta = settings.HOTSWAP["GONE_AFTER"]
        assert self.missed[name] >= least, f"law 5: {name} was missed {self.missed[name]} times"
        assert self.last_listing is not None
        assert self.last_listing - self.missing_since[name] >= period, f"law 5: {name}, too soon"
