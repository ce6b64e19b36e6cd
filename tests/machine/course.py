"""Two people, an application over HTTP, a scheduler and a provider that changes."""

import datetime as dt
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.machine.world import LINES, PROMPT, Shared
from versioning.models import Canary, Check, Freeze, Policy, TrackedModel, Watch
from versioning.services.checks import detection
from versioning.services.samples import rollups
from versioning.services.upgrades import canary, decisions, policies, python_api, rollout

HOUR = dt.timedelta(hours=1)
RECORDS = "/api/model-versions/upgrade-recommendations"
CANARY = [{"weight": 50, "hours": 1}, {"weight": 51, "hours": 1, "approval": True}]
ROOMY = {"max_error_rise": 1, "max_latency_rise": 9, "max_cost_rise": 9, "minimum_improvement": 0}
"""Gates that a few hundred samples get through."""

POLICIES: list[dict[str, Any]] = [
    {},
    {"automation": "after_gates", **ROOMY},
    {"automation": "after_gates", "rollback_by_itself": True, **ROOMY},
    {"automation": "after_gates", "canary_steps": CANARY, **ROOMY},
    {"automation": "after_gates", "canary_steps": CANARY[:1], "rollback_by_itself": True, **ROOMY},
    {"automation": "after_gates", "minimum_age_days": 3, **ROOMY},
    {"automation": "never", **ROOMY},
    {"approvals_needed": 2},
    {"requester_may_approve": False},
    {"canary_steps": CANARY, **ROOMY},
]
FAULTS = ["http_500", "unauthorized", "html", "not_json", "empty", "redirect", "garbage"]
MODELS = st.integers(0, 1)
PLACES = st.integers(0, 3)
SELDOM = st.sampled_from([False, False, False, True])
PEOPLE = st.sampled_from(["ada", "grace"])


class Course(Shared):
    """What all actors do to two models."""

    @initialize(first=st.sampled_from(POLICIES), second=st.sampled_from(POLICIES))
    def begin_with_policies(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        self.set_the_policy(number=0, values=first)
        self.set_the_policy(number=1, values=second)

    # The provider and its checks

    @rule(number=MODELS, aged=st.booleans(), noticed=st.booleans())
    def a_version_comes(self, number: int, aged: bool, noticed: bool) -> None:
        self.release(LINES[number], aged=aged)
        if noticed:
            self.a_check_runs()

    @rule(number=MODELS, which=PLACES)
    def a_version_goes(self, number: int, which: int) -> None:
        listed = self.listed(LINES[number])
        if listed:
            self.simulator.catalogue.remove("openrouter", listed[which % len(listed)])

    @rule(fault=st.sampled_from([*FAULTS, None]))
    def the_provider_fails_or_heals(self, fault: str | None) -> None:
        if fault is None:
            self.simulator.heal("openrouter")
        else:
            self.simulator.fail("openrouter", fault)

    @rule()
    def a_check_runs(self) -> None:
        """Law 5: one that fails changes nothing; the same unread rows as last time are no gap."""
        before = [table.read() for table in self.laws.tables]
        checks: list[Check] = []
        whole = self.attempt(
            lambda: checks.append(
                detection.run_check(provider_id=self.provider.pk, trigger="schedule", now=self.now)
            )
        )
        fault = self.simulator.faults.named().get("openrouter")
        if fault not in (None, "garbage") or (whole and checks[0].state == "failed"):
            assert [table.read() for table in self.laws.tables] == before, "law 5"
        elif whole and checks[0].state in ("changed", "unchanged"):
            self.checked = True
            self.laws.note_listing(self.listed(), released=self.released, now=self.now)

    def listed(self, line: str = "") -> list[str]:
        models = self.simulator.models("openrouter")
        return [model.id for model in models if model.id.startswith(line)]

    # People and an application decide

    @rule(number=MODELS, which=PLACES, who=PEOPLE)
    def approve(self, number: int, which: int, who: str) -> None:
        record = self.any_record(number, which)
        self.attempt(
            lambda: decisions.approve(record_id=record, actor=self.people[who], now=self.now)
        )

    @rule(number=MODELS, which=PLACES, who=PEOPLE)
    def reject(self, number: int, which: int, who: str) -> None:
        record = self.any_record(number, which)
        self.attempt(
            lambda: decisions.reject(
                record_id=record, actor=self.people[who], now=self.now, reason="No."
            )
        )

    @rule(number=MODELS, which=PLACES, hours=st.integers(1, 50))
    def snooze(self, number: int, which: int, hours: int) -> None:
        record = self.any_record(number, which)
        until = self.now + hours * HOUR
        self.attempt(
            lambda: decisions.snooze(
                record_id=record, actor=self.people["ada"], now=self.now, until=until
            )
        )

    @rule(number=MODELS, who=PEOPLE)
    def roll_back(self, number: int, who: str) -> None:
        self.attempt(
            lambda: decisions.roll_back(
                tracked_model_id=self.models[number],
                actor=self.people[who],
                now=self.now,
                reason="Worse.",
            )
        )

    @rule(number=MODELS, what=st.sampled_from(["approve_step", "resume", "abort", "evaluate"]))
    def handle_a_canary(self, number: int, what: str) -> None:
        who: dict[str, Any] = {"record_id": self.any_record(number, 0), "now": self.now}
        if what != "evaluate":
            who["actor"] = self.people["grace"]
        if what == "abort":
            who["reason"] = "Odd answers."
        self.attempt(lambda: getattr(canary, what)(**who))

    @rule(number=MODELS, which=PLACES, what=st.sampled_from(["approve", "reject", "canary/abort"]))
    def the_application_decides(self, number: int, which: int, what: str) -> None:
        self.ask(f"{RECORDS}/{self.any_record(number, which)}/{what}", {"reason": "Asked for."})

    @rule(number=MODELS, which=PLACES)
    def the_application_asks_for_a_version(self, number: int, which: int) -> None:
        names = [row.upstream_id for row in self.laws.versions.values()]
        self.ask(
            self.address(number, "upgrade"),
            {"upstream_id": names[which % len(names)], "reason": "Asked for."},
        )

    @rule(number=MODELS)
    def the_application_rolls_back(self, number: int) -> None:
        self.ask(self.address(number, "rollback"), {"reason": "Worse."})

    @rule(number=MODELS)
    def auto_upgrade(self, number: int) -> None:
        pk = self.models[number]
        before = TrackedModel.objects.get(pk=pk).current_version_id
        self.ask(
            self.address(number, "auto-upgrade"),
            {"auto_upgrade": True, "min_quality_improvement": "0"},
        )
        if pk in self.held.pinned or self.held.frozen or self.held.switched_off:
            assert TrackedModel.objects.get(pk=pk).current_version_id == before, "law 4"

    @rule(number=MODELS, good=st.booleans(), looked_at=st.booleans())
    def samples_come(self, number: int, good: bool, looked_at: bool) -> None:
        """Of the version in use, and of the one that waits or is tried; better or worse."""
        model = TrackedModel.objects.select_related("current_version").get(pk=self.models[number])
        shown = [(model.current_version, 0.7)]
        trial = Canary.objects.filter(record__tracked_model=model, record__state="canary").first()
        waiting = model.upgrades.waiting().order_by("-pk").first()
        last = Watch.objects.open().filter(record__tracked_model=model).first()
        record = trial.record if trial is not None else waiting
        if last is not None and not good:
            shown = [(last.record.from_version, 0.9), (model.current_version, 0.2)]
        if record is not None:
            shown.append((record.to_version, 0.9 if good else 0.2))
        items = [
            {
                "provider": self.provider.slug,
                "model": model.name,
                "resolved_id": version.upstream_id,
                "quality": quality + (n % 3) / 100,
                "latency_ms": 100.0,
                "cost_usd": "0.001",
                "time": (self.now - (n % 22) * HOUR).isoformat(),
            }
            for version, quality in shown
            for n in range(110)
        ]
        self.ask("/api/performance-samples", items)
        if looked_at:
            self.the_scheduler_sweeps(hours=0)

    @rule(number=MODELS, field=st.sampled_from(["prompt", "messages", "output"]))
    def a_sample_comes_with_a_prompt(self, number: int, field: str) -> None:
        item = {"provider": self.provider.slug, "model": f"model-{number}", field: PROMPT}
        self.ask("/api/performance-samples", [item])

    # Staff set things up

    @rule(number=MODELS, values=st.sampled_from(POLICIES))
    def set_the_policy(self, number: int, values: dict[str, Any]) -> None:
        model = self.models[number]

        def save() -> None:
            with transaction.atomic():
                Policy.objects.filter(tracked_model=model).delete()
                Policy.objects.create(tracked_model_id=model, **values)

        self.attempt(save)

    @rule(number=MODELS, pinned=SELDOM)
    def pin(self, number: int, pinned: bool) -> None:
        model = TrackedModel.objects.filter(pk=self.models[number])
        self.attempt(lambda: model.update(pinned=pinned))

    @rule(off=SELDOM)
    def switch_automation(self, off: bool) -> None:
        self.attempt(
            lambda: policies.switch_automation(
                on=not off, reason="?", actor=self.people["ada"], now=self.now
            )
        )

    @rule(hours=st.integers(1, 8))
    def freeze(self, hours: int) -> None:
        start, end = self.now, self.now + hours * HOUR
        if self.attempt(lambda: Freeze.objects.create(name="f", starts_at=start, ends_at=end)):
            self.freezes.append((start, end))

    # The scheduler, time, crashes

    @rule(hours=st.integers(0, 30))
    def the_scheduler_sweeps(self, hours: int) -> None:
        self.now += hours * HOUR
        self.held = self.laws.what_holds(freezes=self.freezes, now=self.now)

        def sweep() -> None:
            rollout.wake_snoozed(now=self.now)
            python_api.upgrade_by_policy(now=self.now)
            rollout.carry_on(now=self.now)
            rollups.fold(now=self.now)

        self.attempt(sweep)

    @rule(hours=st.integers(-2, 60))
    def time_passes(self, hours: int) -> None:
        """A clock that goes back included."""
        self.now += hours * HOUR

    @rule(writes=st.integers(0, 12))
    def the_next_act_crashes(self, writes: int) -> None:
        self.watcher.dies_before = writes
