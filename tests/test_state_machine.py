"""All actors at once, in any order, with crashes: the laws hold after each step.

``pytest -m slow``; HOTSWAP_MACHINE_STEPS says how many steps in all (10,000 unless set).
"""

import datetime as dt
import os
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import Count
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.factories import (
    NOW,
    ModelVersionFactory,
    ProviderFactory,
    TrackedModelFactory,
    UpgradeRecordFactory,
    UserFactory,
)
from versioning.domain.transitions import State
from versioning.models import (
    Canary,
    Freeze,
    ModelVersion,
    Policy,
    TrackedModel,
    UpgradeRecord,
    UpgradeStep,
)
from versioning.services import serving
from versioning.services.actors import Actor
from versioning.services.errors import ServiceError
from versioning.services.samples import ingestion
from versioning.services.samples.sample_format import SampleIn
from versioning.services.upgrades import canary, course, moves, policies, rollout, upgrading

STEPS_IN_ALL = int(os.environ.get("HOTSWAP_MACHINE_STEPS", "10000"))
STEPS_OF_ONE_RUN = 100
HOUR = dt.timedelta(hours=1)
CANARY = [{"weight": 10, "hours": 1}, {"weight": 50, "hours": 1, "approval": True}]
POLICIES: list[dict[str, object]] = [
    {},
    {"automation": "after_gates", "minimum_improvement": 0},
    {"automation": "never"},
    {"approvals_needed": 2},
    {"requester_may_approve": False},
    {"canary_steps": CANARY},
    {"canary_steps": CANARY, "automation": "after_gates"},
    {"rollback_by_itself": True},
    {"minimum_age_days": 3, "automation": "after_gates"},
]
MODELS = st.integers(0, 1)
PEOPLE = st.sampled_from(["ada", "grace", "api"])


class Crash(Exception):
    """The worker died here."""


class Course(RuleBasedStateMachine):
    """Two models; two people, an application and the scheduler who decide about them."""

    def __init__(self) -> None:
        super().__init__()
        # Each run in a transaction of its own that is never committed: so each begins empty.
        self.run = transaction.atomic()
        self.run.__enter__()
        self.now = NOW
        self.steps: dict[int, tuple[object, ...]] = {}
        self.keys: dict[tuple[int, int, str], bool] = {}
        self.provider = ProviderFactory()
        self.actors = {
            name: Actor.of_user(UserFactory(username=name)) for name in ("ada", "grace")
        } | {"api": Actor(kind="api", name="shop")}
        self.models = [self.track(n) for n in range(2)]
        self.crash_at: int | None = None

    def teardown(self) -> None:
        self.crash_at = None
        transaction.set_rollback(True)
        self.run.__exit__(None, None, None)

    def track(self, number: int) -> TrackedModel:
        model = TrackedModelFactory(provider=self.provider, name=f"model-{number}")
        version = ModelVersionFactory(tracked_model=model, label="1.0.0")
        rollout.begin(tracked=model, version=version, actor=Actor.command(), now=NOW)
        return model

    def attempt(self, act: Callable[[], object]) -> None:
        """Do something that may be refused, or that a crash cuts off at any write."""
        with suppress(ServiceError, Crash), transaction.atomic():
            act()
            if self.crash_at is not None:
                raise Crash
        self.crash_at = None

    def model(self, number: int) -> TrackedModel:
        return TrackedModel.objects.select_related("current_version").get(pk=self.models[number].pk)

    def any_record(self, number: int, which: int) -> int:
        ids = list(self.models[number].upgrades.order_by("-pk").values_list("pk", flat=True)[:6])
        return ids[which % len(ids)]

    # The provider and its checks

    @rule(number=MODELS, aged=st.booleans())
    def a_version_comes_and_is_recommended(self, number: int, aged: bool) -> None:
        model = self.model(number)
        released = (self.now - dt.timedelta(days=10)).date() if aged else None
        version = ModelVersionFactory(tracked_model=model, released_on=released)
        UpgradeRecordFactory(
            tracked_model=model,
            to_version=version,
            recommended_at=self.now,
            changed_at=self.now,
        )

    @rule(number=MODELS, gone=st.booleans())
    def the_provider_drops_or_brings_back_a_version(self, number: int, gone: bool) -> None:
        version = self.models[number].versions.order_by("pk").first()
        ModelVersion.objects.filter(pk=version.pk).update(gone_at=self.now if gone else None)

    # People, applications

    @rule(number=MODELS, which=st.integers(0, 5), who=PEOPLE)
    def approve(self, number: int, which: int, who: str) -> None:
        record = self.any_record(number, which)
        self.attempt(
            lambda: rollout.approve(record_id=record, actor=self.actors[who], now=self.now)
        )

    @rule(number=MODELS, which=st.integers(0, 5), who=PEOPLE)
    def ask_for_any_version(self, number: int, which: int, who: str) -> None:
        ids = list(self.models[number].versions.values_list("pk", flat=True))
        self.attempt(
            lambda: rollout.request_upgrade(
                tracked_model_id=self.models[number].pk,
                to_version_id=ids[which % len(ids)],
                actor=self.actors[who],
                now=self.now,
            )
        )

    @rule(number=MODELS, which=st.integers(0, 5), who=PEOPLE)
    def reject(self, number: int, which: int, who: str) -> None:
        record = self.any_record(number, which)
        self.attempt(
            lambda: rollout.reject(
                record_id=record, actor=self.actors[who], now=self.now, reason="No."
            )
        )

    @rule(number=MODELS, which=st.integers(0, 5), hours=st.integers(1, 50))
    def snooze(self, number: int, which: int, hours: int) -> None:
        record = self.any_record(number, which)
        until = self.now + hours * HOUR
        self.attempt(
            lambda: rollout.snooze(
                record_id=record, actor=self.actors["ada"], now=self.now, until=until
            )
        )

    @rule(number=MODELS, who=PEOPLE)
    def roll_back(self, number: int, who: str) -> None:
        self.attempt(
            lambda: rollout.roll_back(
                tracked_model_id=self.models[number].pk,
                actor=self.actors[who],
                now=self.now,
                reason="Worse.",
            )
        )

    @rule(number=MODELS, what=st.sampled_from(["approve", "resume", "abort", "look"]))
    def handle_a_canary(self, number: int, what: str) -> None:
        record = self.any_record(number, 0)
        who: dict[str, object] = {"record_id": record, "now": self.now}
        if what != "look":
            who["actor"] = self.actors["grace"]
        if what == "abort":
            who["reason"] = "Odd answers."
        act = {"approve": canary.approve_step}.get(what) or getattr(canary, what)
        self.attempt(lambda: act(**who))

    @rule(number=MODELS)
    def auto_upgrade(self, number: int) -> None:
        model = self.models[number]
        was_pinned = self.model(number).pinned
        before = self.model(number).current_version_id
        self.attempt(
            lambda: upgrading.auto_upgrade(
                provider=self.provider.slug,
                model=model.name,
                actor=self.actors["api"],
                min_quality_improvement=0,
                now=self.now,
            )
        )
        if was_pinned:
            assert self.model(number).current_version_id == before

    @rule(number=MODELS, good=st.booleans())
    def samples_come(self, number: int, good: bool) -> None:
        model = self.model(number)
        trial = Canary.objects.filter(record__tracked_model=model, record__state="canary").first()
        shown = [(model.current_version, 0.7)]
        if trial is not None:
            shown.append((trial.record.to_version, 0.9 if good else 0.2))
        items = [
            SampleIn(
                provider=self.provider.slug,
                model=model.name,
                resolved_id=version.upstream_id,
                quality=quality + (n % 3) / 100,
                latency_ms=100.0,
                cost_usd=Decimal("0.001"),
                time=self.now - (n % 22) * HOUR,
            )
            for version, quality in shown
            for n in range(110)
        ]
        ingestion.accept(items, api_key_id=None, now=self.now)

    # Staff set things up

    @rule(number=MODELS, values=st.sampled_from(POLICIES))
    def set_the_policy(self, number: int, values: dict[str, object]) -> None:
        Policy.objects.filter(tracked_model=self.models[number]).delete()
        Policy.objects.create(tracked_model=self.models[number], **values)

    @rule(number=MODELS, pinned=st.booleans())
    def pin(self, number: int, pinned: bool) -> None:
        TrackedModel.objects.filter(pk=self.models[number].pk).update(pinned=pinned)

    @rule(on=st.booleans())
    def switch_automation(self, on: bool) -> None:
        policies.switch_automation(on=on, reason="?", actor=self.actors["ada"], now=self.now)

    @rule(hours=st.integers(1, 30))
    def freeze(self, hours: int) -> None:
        Freeze.objects.create(name="f", starts_at=self.now, ends_at=self.now + hours * HOUR)

    # The scheduler, time, crashes

    @rule()
    def the_scheduler_sweeps(self) -> None:
        pinned = {model.pk for model in map(self.model, range(2)) if model.pinned}
        frozen = Freeze.objects.filter(starts_at__lte=self.now, ends_at__gt=self.now).exists()
        before = dict(TrackedModel.objects.values_list("pk", "current_version_id"))

        def sweep() -> None:
            rollout.wake_snoozed(now=self.now)
            upgrading.upgrade_by_policy(now=self.now)
            course.carry_on(now=self.now)

        self.attempt(sweep)
        after = dict(TrackedModel.objects.values_list("pk", "current_version_id"))
        moved = {pk for pk in before if before[pk] != after[pk]}
        assert not moved & pinned
        assert not (moved and frozen)

    @rule(hours=st.integers(-2, 60))
    def time_passes(self, hours: int) -> None:
        """A clock that goes back included."""
        self.now += hours * HOUR

    @rule(at=st.integers(0, 3))
    def the_next_act_crashes(self, at: int) -> None:
        self.crash_at = at

    # What always holds

    @invariant()
    def law_1_current_is_the_target_of_the_latest_completion(self) -> None:
        for model in map(self.model, range(len(self.models))):
            latest = (
                model.upgrades.completions()
                .exclude(state=State.ROLLED_BACK.value)
                .order_by("-completion_number")
                .first()
            )
            assert model.current_version_id == latest.to_version_id

    @invariant()
    def law_2_each_step_leads_from_the_one_before_and_none_twice(self) -> None:
        state: dict[int, str] = {}
        for record, before, after in UpgradeStep.objects.order_by("pk").values_list(
            "record_id", "before", "after"
        ):
            assert state.get(record, before) == before
            assert before != after
            state[record] = after
        held = dict(UpgradeRecord.objects.filter(pk__in=state).values_list("pk", "state"))
        assert held == state

    @invariant()
    def law_3_one_under_way(self) -> None:
        counts = UpgradeRecord.objects.under_way().values("tracked_model").annotate(n=Count("pk"))
        assert all(row["n"] == 1 for row in counts)

    @invariant()
    def law_4_no_replacement_and_no_young_one_went_by_itself(self) -> None:
        by_itself = UpgradeStep.objects.filter(
            after="approved", actor_kind=UpgradeStep.ActorKind.SCHEDULER
        ).select_related("record__to_version")
        for step in by_itself:
            assert step.record.step == "minor"

    @invariant()
    def law_6_no_step_is_lost_or_changed(self) -> None:
        rows = {
            row[0]: row[1:]
            for row in UpgradeStep.objects.values_list(
                "pk", "record_id", "before", "after", "at", "actor_name", "reason"
            )
        }
        assert self.steps.items() <= rows.items()
        self.steps = rows

    @invariant()
    def a_key_that_has_the_new_version_keeps_it(self) -> None:
        seen: dict[tuple[int, int, str], bool] = {}
        for trial in Canary.objects.filter(record__state="canary").select_related("record"):
            model = trial.record.tracked_model
            for key in ("anna", "boris", "carla", "dora"):
                answer = serving.current(
                    provider=self.provider.slug, name=model.name, now=self.now, key=key
                )
                has_it = answer.version.upstream_id == trial.record.to_version.upstream_id
                place = (model.pk, trial.pk, key)
                assert has_it or not self.keys.get(place, False)
                seen[place] = has_it
        self.keys = seen


def run(*, steps: int, patch: pytest.MonkeyPatch) -> None:
    """Run the machine; a crash is an exception at the n-th write of a step or pointer."""
    machine: list[Course] = []
    write, point = moves.write_step, moves.point_at

    class Watched(Course):
        def __init__(self) -> None:
            super().__init__()
            machine[:] = [self]

    def crashing(act: Callable[..., object]) -> Callable[..., object]:
        def wrapped(**kwargs: object) -> object:
            if machine and machine[0].crash_at is not None:
                if machine[0].crash_at <= 0:
                    raise Crash
                machine[0].crash_at -= 1
            return act(**kwargs)

        return wrapped

    patch.setattr(moves, "write_step", crashing(write))
    patch.setattr(moves, "point_at", crashing(point))
    run_state_machine_as_test(
        Watched,
        settings=settings(
            max_examples=max(1, steps // STEPS_OF_ONE_RUN),
            stateful_step_count=min(steps, STEPS_OF_ONE_RUN),
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_the_laws_hold_after_each_of_a_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    run(steps=60, patch=monkeypatch)


@pytest.mark.slow
@pytest.mark.django_db
def test_the_laws_hold_after_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    run(steps=STEPS_IN_ALL, patch=monkeypatch)
