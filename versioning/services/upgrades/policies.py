"""Which policy holds for a model, and the facts that it is asked about."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from textwrap import shorten
from typing import Any, NamedTuple, Protocol

from django.db.models import Q, QuerySet

from versioning.domain import calendar, canary
from versioning.domain.events import EventKind
from versioning.domain.evidence import Evidence, read
from versioning.domain.figures import LIMITS
from versioning.domain.policy import (
    Asker,
    Asks,
    Automation,
    Clearance,
    EffectivePolicy,
    Facts,
    MoveStage,
    Unsure,
    decide,
    stops_before_evidence,
)
from versioning.domain.statistics.decision import Decision
from versioning.domain.statistics.inputs import Thresholds
from versioning.models import (
    AutomationSwitch,
    Comment,
    Emergency,
    Freeze,
    ModelVersion,
    Policy,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.services import clock, events, locks
from versioning.services.actors import Actor
from versioning.services.errors import FieldError, Invalid
from versioning.services.evidence import comparison, suite_evidence
from versioning.services.transactions import one_transaction
from versioning.services.upgrades import way_back

DAY = timedelta(days=1)
MOST_LOOKED_UP = 200
MOST_QUOTED = 200
"""Letters of a request for changes that are told where it is one reason among others."""

_READ: Mapping[str, Callable[[Any], Any]] = {
    "automation": Automation,
    "steps_allowed": tuple,
    "required_suites": tuple,
    "canary_steps": canary.read_steps,
    "canary_asks": Asks,
    "unsure_tests": Unsure,
    "windows": lambda raw: tuple(calendar.Window.read(item) for item in raw),
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """What holds for a model, and which row sets each thing; the rest is built in.

    ``own`` is the model's own row, which need not set anything.
    """

    policy: EffectivePolicy
    set_by: Mapping[str, Policy]
    fallback: ModelVersion | None
    own: Policy | None

    def thresholds(self, *, least: Decimal) -> Thresholds:
        """Return the limits of a comparison that asks for ``least`` improvement, a fraction."""
        return Thresholds(
            min_quality_improvement=least,
            **{limit.setting: getattr(self.policy, limit.setting) for limit in LIMITS},
            accept_unsure=self.policy.unsure_limits_pass,
        )


def resolve(*, tracked: TrackedModel) -> Resolved:
    """Return the policy of a model: its own, over its provider's, over the general one."""
    return resolve_all(tracked_models=[tracked])[tracked.pk]


def resolve_row(*, row: Policy) -> Resolved:
    """Return what holds for whom a policy row is, with the row as it is given, stored or not."""
    provider_id = row.provider_id
    if row.tracked_model is not None:
        provider_id = row.tracked_model.provider_id
    general = Q(provider=None, tracked_model=None)
    above = general | Q(provider=provider_id) if row.tracked_model_id else general
    rows = Policy.objects.select_related("fallback_version").filter(above, tracked_model=None)
    is_general = row.provider_id is None and row.tracked_model_id is None
    stored = [] if is_general else [each for each in rows if each.pk != row.pk]
    return _resolved([*sorted(stored, key=lambda each: each.provider_id is not None), row])


class Owned(Protocol):
    """A tracked model as policies know it."""

    @property
    def pk(self) -> int: ...

    @property
    def provider_id(self) -> int: ...


def resolve_all(*, tracked_models: Sequence[Owned]) -> dict[int, Resolved]:
    """Return the policies of models by the models' ids, in one query for any number of them."""
    rows = _rows_for(tracked_models).select_related("fallback_version")
    by_owner: defaultdict[tuple[int | None, int | None], list[Policy]] = defaultdict(list)
    for row in rows:
        by_owner[row.provider_id, row.tracked_model_id].append(row)
    shared = {
        provider_id: _resolved([*by_owner[None, None], *by_owner[provider_id, None]])
        for provider_id in {model.provider_id for model in tracked_models}
    }
    return {
        model.pk: _resolved(by_owner[None, model.pk], over=shared[model.provider_id])
        if (None, model.pk) in by_owner
        else shared[model.provider_id]
        for model in tracked_models
    }


class Timing(NamedTuple):
    """What of a policy says how long a move takes."""

    required_suites: tuple[str, ...]
    canary_steps: tuple[canary.CanaryStep, ...]
    approval_days: int
    buffer_days: int

    @classmethod
    def of(cls, policy: EffectivePolicy) -> "Timing":
        return cls(*(getattr(policy, name) for name in cls._fields))


def timing_of_all(*, tracked_models: Sequence[Owned]) -> dict[int, Timing]:
    """Return how long moves take under the policies of models, by the models' ids, in one query.

    As ``resolve_all`` would say it; of thousands of models nothing else is read.
    """
    names = Timing._fields
    says_any = reduce(or_, (Q(**{f"{name}__isnull": False}) for name in names))
    rows = _rows_for(tracked_models).filter(says_any)
    said: dict[tuple[int | None, int | None], list[Any]] = {
        (provider_id, model_id): values
        for provider_id, model_id, *values in rows.values_list("provider", "tracked_model", *names)
    }
    general = _timing(said.get((None, None)), over=Timing.of(EffectivePolicy()))
    shared = {
        provider_id: _timing(said.get((provider_id, None)), over=general)
        for provider_id in {model.provider_id for model in tracked_models}
    }
    return {
        model.pk: _timing(said.get((None, model.pk)), over=shared[model.provider_id])
        for model in tracked_models
    }


def _timing(values: list[Any] | None, *, over: Timing) -> Timing:
    """Lay a row's values over those of the level above; the same, where it has none."""
    if values is None:
        return over
    own: Any = (
        _READ.get(name, int)(value) if _says(value) else above
        for name, value, above in zip(Timing._fields, values, over, strict=True)
    )
    return Timing(*own)


def _rows_for(tracked_models: Sequence[Owned]) -> QuerySet[Policy]:
    """Return the rows that hold for some of the models."""
    ids = [model.pk for model in tracked_models]
    # To look thousands of keys up takes longer than to read the few policies of models there are.
    own = Q(tracked_model__in=ids) if len(ids) <= MOST_LOOKED_UP else ~Q(tracked_model=None)
    of_providers = Q(provider__in={model.provider_id for model in tracked_models})
    return Policy.objects.filter(own | of_providers | Q(provider=None, tracked_model=None))


def _says(value: Any) -> bool:
    """Say whether a column sets something: empty leaves it to the level above; 0, False, [] say."""
    return value is not None and value != ""


def _resolved(rows: Iterable[Policy], *, over: Resolved | None = None) -> Resolved:
    """Lay the rows over each other and over what is resolved, the nearest last."""
    values = {} if over is None else {name: getattr(over.policy, name) for name in over.set_by}
    set_by = {} if over is None else dict(over.set_by)
    fallback, own = (None, None) if over is None else (over.fallback, over.own)
    for row in rows:
        own = row if row.tracked_model_id else None
        for name in EffectivePolicy.__dataclass_fields__:
            value = getattr(row, name)
            if _says(value):
                values[name] = _READ[name](value) if name in _READ else value
                set_by[name] = row
        fallback = row.fallback_version or fallback
    return Resolved(policy=EffectivePolicy(**values), set_by=set_by, fallback=fallback, own=own)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a policy can set, as it holds for a model.

    ``value`` is as the row that sets it has it, or what is built in; ``set_by`` is None then.
    """

    name: str
    value: Any
    set_by: Policy | None


def settings_of(resolved: Resolved) -> list[Setting]:
    """Return each setting of a model's policy with the row that it comes from."""
    found = []
    for name in EffectivePolicy.__dataclass_fields__:
        row = resolved.set_by.get(name)
        value = getattr(resolved.policy if row is None else row, name)
        found.append(Setting(name=name, value=value, set_by=row))
    return found


def compared(
    *,
    tracked: TrackedModel,
    from_version: ModelVersion,
    to_version: ModelVersion,
    now: datetime,
    task: str | None = None,
    slice_name: str | None = None,
) -> Evidence:
    """Compare two versions within the gates of a model's policy; no rise is asked for.

    On live samples and on the tests of the pair; on one task or slice, on live samples alone.
    """
    if task is None and slice_name is None:
        pair = PairOfVersions(tracked, from_version, to_version)
        return compared_all([pair], now=now)[pair.ids]
    return comparison.evidence(
        from_version=from_version,
        to_version=to_version,
        now=now,
        task=task,
        slice_name=slice_name,
        thresholds=resolve(tracked=tracked).thresholds(least=Decimal(0)),
    )


class PairOfVersions(NamedTuple):
    """Two versions of a tracked model that are compared."""

    tracked: TrackedModel
    from_version: ModelVersion
    to_version: ModelVersion

    @property
    def ids(self) -> comparison.Pair:
        return (self.from_version.pk, self.to_version.pk)


def compared_all(
    pairs: Sequence[PairOfVersions], *, now: datetime
) -> dict[comparison.Pair, Evidence]:
    """Compare pairs of versions as ``compared`` does, in as many queries for any number of them."""
    if not pairs:
        return {}
    ids = [pair.ids for pair in pairs]
    resolved = resolve_all(tracked_models=[pair.tracked for pair in pairs])
    samples = comparison.SamplesOfPairs.read(ids, now=now)
    tests = suite_evidence.latest_tests_of(ids)
    return {
        pair.ids: suite_evidence.with_tests(
            comparison.evidence(
                from_version=pair.from_version,
                to_version=pair.to_version,
                now=now,
                thresholds=resolved[pair.tracked.pk].thresholds(least=Decimal(0)),
                samples=samples,
            ),
            tests=tests[pair.ids],
            tests_alone=resolved[pair.tracked.pk].policy.tests_alone,
        )
        for pair in pairs
    }


def evidence_to_begin(
    *, record: UpgradeRecord, resolved: Resolved, least: Decimal, now: datetime
) -> Evidence:
    """Return what an upgrade may begin on: live samples and the tests of the pair. Raises Invalid.

    What is under way is judged by ``evidence``, on live samples alone.
    """
    shown = evidence(record=record, resolved=resolved, least=least, now=now)
    if record.from_version is None:
        return shown
    return suite_evidence.with_tests(
        shown,
        tests=suite_evidence.latest_tests(
            from_version=record.from_version, to_version=record.to_version
        ),
        tests_alone=resolved.policy.tests_alone,
        least=least,
    )


def evidence(
    *, record: UpgradeRecord, resolved: Resolved, now: datetime, least: Decimal = Decimal(0)
) -> Evidence:
    """Compare a record's live samples now, within the limits of its policy. Raises Invalid.

    ``least`` is the improvement that is asked for, a fraction: none of what is under way.
    """
    if record.from_version is None:
        raise Invalid("There is no version in use to compare with.")
    return comparison.evidence(
        from_version=record.from_version,
        to_version=record.to_version,
        now=now,
        thresholds=resolved.thresholds(least=least),
    )


def sentence_of(shown: Evidence) -> str:
    """Return what the evidence says, with what speaks against the move or is missing."""
    reasons = "; ".join(shown.reasons)
    if shown.speaks_for or not reasons or reasons in shown.sentence:
        return shown.sentence
    return f"{shown.sentence}. Because: {reasons}."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for all models: the switch, the freezes; and which have an emergency."""

    switch: AutomationSwitch | None
    freezes: Sequence[Freeze]
    emergencies: Sequence[Emergency]

    @classmethod
    def now(cls) -> "Surroundings":
        return cls(
            switch=AutomationSwitch.objects.first(),
            freezes=list(Freeze.objects.all()),
            emergencies=list(Emergency.objects.open()),
        )


def that_may_go(records: Sequence[UpgradeRecord], *, now: datetime) -> list[UpgradeRecord]:
    """Return those of the waiting records that only their evidence may still stop.

    As many queries for any number of records.
    """
    resolved = resolve_all(tracked_models=[record.tracked_model for record in records])
    around, changes = Surroundings.now(), _changes_asked(records)
    return [
        record
        for record in records
        if not stops_before_evidence(
            facts=replace(
                _known(record, stage=MoveStage.BEGIN, asked_by=Asker.POLICY, around=around),
                changes_asked=changes.get(record.pk, ""),
            ),
            policy=resolved[record.tracked_model_id].policy,
            now=clock.local(now),
        )
    ]


def what_stops(records: Sequence[UpgradeRecord], *, now: datetime) -> dict[int, Clearance]:
    """Say of waiting records, by their ids, whether each may go by itself as far as is stored.

    The evidence is as it was written down. As many queries for any number of records.
    """
    if not records:
        return {}
    resolved = resolve_all(tracked_models=[record.tracked_model for record in records])
    around, changes = Surroundings.now(), _changes_asked(records)
    pace = Pace.now(at=now)
    return {
        record.pk: decide(
            facts=_as_stored(
                record,
                resolved=resolved[record.tracked_model_id],
                known=replace(
                    _known(record, stage=MoveStage.BEGIN, asked_by=Asker.POLICY, around=around),
                    changes_asked=changes.get(record.pk, ""),
                ),
                pace=pace,
                now=now,
            ),
            policy=resolved[record.tracked_model_id].policy,
            now=clock.local(now),
        )
        for record in records
    }


def _changes_asked(records: Sequence[UpgradeRecord]) -> dict[int, str]:
    """Say of records, by their ids, who asks for changes first, and for which; in one query."""
    found: dict[int, str] = {}
    for request in Comment.objects.open_requests().filter(record__in=records).order_by("pk"):
        said = shorten(request.text, MOST_QUOTED, placeholder=" …")
        found.setdefault(request.record_id, f"{request.actor_name} asks for changes: {said}")
    return found


def _as_stored(
    record: UpgradeRecord, *, resolved: Resolved, known: Facts, pace: "Pace", now: datetime
) -> Facts:
    kept = read(record.evidence)
    return replace(
        known,
        evidence_decision=Decision(kept.decision)
        if kept.decision in set(Decision)
        else Decision.NOT_ENOUGH_EVIDENCE,
        evidence_sentence=kept.sentence,
        way_back=way_back.why_closed(
            version=record.from_version,
            fallback=resolved.fallback,
            policy=resolved.policy,
            now=now,
        ),
        under_way=pace.count(pace.moving, resolved.set_by.get("max_at_once")),
        begun_today=pace.count(pace.begun, resolved.set_by.get("max_per_day")),
        another_under_way=any(model == record.tracked_model_id for model, _ in pace.moving),
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """What is under way, and what the scheduler began in a day: models, each with its provider."""

    moving: Sequence[tuple[int, int]]
    begun: Sequence[tuple[int, int]]

    @classmethod
    def now(cls, *, at: datetime) -> "Pace":
        """Read both, in two queries: as few rows as there are models under way."""
        moving = UpgradeRecord.objects.under_way()
        begun = _begun_by_itself(since=at - DAY)
        return cls(
            moving=list(moving.values_list("tracked_model", "tracked_model__provider")),
            begun=list(
                begun.values_list("record__tracked_model", "record__tracked_model__provider")
            ),
        )

    @staticmethod
    def count(rows: Sequence[tuple[int, int]], row: Policy | None) -> int:
        """Count those of the models that a policy row is for; 0 where no row limits them."""
        if row is None:
            return 0
        return sum(
            row.tracked_model_id in (None, model) and row.provider_id in (None, provider)
            for model, provider in rows
        )


def _begun_by_itself(*, since: datetime) -> QuerySet[UpgradeStep]:
    return UpgradeStep.objects.filter(
        after="approved", actor_kind=UpgradeStep.ActorKind.SCHEDULER, at__gt=since
    )


def may_go_on(*, record: UpgradeRecord, resolved: Resolved, now: datetime) -> Clearance:
    """Decide whether the scheduler may carry on now what is approved, and what stops it."""
    return decide(
        facts=facts(record=record, resolved=resolved, stage=MoveStage.GO_ON, now=now),
        policy=resolved.policy,
        now=clock.local(now),
    )


def facts(
    *,
    record: UpgradeRecord,
    resolved: Resolved,
    stage: MoveStage,
    now: datetime,
    asked_by: Asker = Asker.POLICY,
    shown: Evidence | None = None,
) -> Facts:
    """Gather what ``domain.policy`` decides on, as of now."""
    tracked = record.tracked_model
    known = _known(record, stage=stage, asked_by=asked_by, around=Surroundings.now())
    if stage is MoveStage.GO_ON:
        return known
    return replace(
        known,
        changes_asked=_changes_asked([record]).get(record.pk, ""),
        evidence_decision=Decision(shown.decision) if shown else Decision.NOT_ENOUGH_EVIDENCE,
        evidence_sentence=sentence_of(shown) if shown else "",
        improvement=shown.improvement if shown else None,
        way_back=way_back.why_closed(
            version=record.from_version,
            fallback=resolved.fallback,
            policy=resolved.policy,
            now=now,
        ),
        under_way=_in_scope(
            UpgradeRecord.objects.under_way(), resolved.set_by.get("max_at_once"), "tracked_model"
        ),
        begun_today=_in_scope(
            _begun_by_itself(since=now - DAY),
            resolved.set_by.get("max_per_day"),
            "record__tracked_model",
        ),
        another_under_way=UpgradeRecord.objects.under_way()
        .filter(tracked_model=tracked)
        .exclude(pk=record.pk)
        .exists(),
    )


def _known(
    record: UpgradeRecord, *, stage: MoveStage, asked_by: Asker, around: Surroundings
) -> Facts:
    """Return the facts that need no look at samples or at other upgrades."""
    tracked, switch = record.tracked_model, around.switch
    return Facts(
        stage=stage,
        asked_by=asked_by,
        automation_on=switch is None or switch.on,
        automation_off_because=switch.reason if switch else "",
        active=tracked.active and tracked.provider.enabled,
        pinned=tracked.pinned,
        pin_reason=tracked.pin_reason,
        step=record.step,
        released_on=record.to_version.released_on,
        urgent_on=record.from_version.retires_on if record.from_version else None,
        freezes=[
            *(
                calendar.FreezePeriod(freeze.name, freeze.starts_at, freeze.ends_at)
                for freeze in around.freezes
                if freeze.provider_id in (None, tracked.provider_id)
            ),
            *(
                calendar.FreezePeriod("an emergency", each.declared_at, each.ends_at)
                for each in around.emergencies
                if each.tracked_model_id == tracked.pk
            ),
        ],
    )


@one_transaction
def switch_automation(*, on: bool, reason: str, actor: Actor, now: datetime) -> AutomationSwitch:
    """Let things move by themselves, or let nothing. Raises Invalid (off without a reason)."""
    if not on and not reason.strip():
        message = "Say why automation goes off, for whoever finds it off later."
        raise Invalid(message, [FieldError("/reason", "missing", message)])
    was = AutomationSwitch.objects.filter(pk=AutomationSwitch.ONLY, on=False)
    was_on = not locks.hold(was).exists()
    switch, _ = AutomationSwitch.objects.update_or_create(
        pk=AutomationSwitch.ONLY,
        defaults={
            "on": on,
            "reason": reason.strip(),
            "changed_by": actor.name,
            "user_id": actor.user_id,
            "changed_at": now,
        },
    )
    if on != was_on:
        why = f": {switch.reason}" if switch.reason else "."
        events.write(
            EventKind.AUTOMATION_ON if on else EventKind.AUTOMATION_OFF,
            sentence=f"{actor.name} switched automation {'on' if on else 'off'}{why}",
            actor=actor,
            now=now,
            details={"reason": switch.reason},
        )
    return switch


def _in_scope(rows: QuerySet[Any], row: Policy | None, path: str) -> int:
    """Count those of the models that a policy row is for; 0 where no row limits them."""
    if row is None:
        return 0
    if row.tracked_model_id:
        rows = rows.filter(**{path: row.tracked_model_id})
    elif row.provider_id:
        rows = rows.filter(**{f"{path}__provider": row.provider_id})
    return rows.count()
