"""One poisoned item in each sweep: the others are done, and staff see what failed."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from providers.base import Adapter, ListedModel, Listing
from tests.factories import ProviderFactory, UpgradeRecordFactory, tracked
from versioning import tasks
from versioning.domain import dates
from versioning.models import (
    Check,
    DriftFinding,
    ModelVersion,
    Notice,
    OutcomeReport,
    Policy,
    Reminder,
    Rollup,
    RollupPart,
    UpgradeRecord,
    Watch,
)
from versioning.services import mail as mailing
from versioning.services.checks import detection, listing
from versioning.services.evaluation import running
from versioning.services.evidence import drift
from versioning.services.samples import attachment, ingestion, late_scores, rollups
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions, python_api, retirement, rollout, watching

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = dt.timedelta(days=1)
N = 3


class Poisoned(Exception):
    """What nobody foresaw."""


def poison(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, bad: Callable[..., bool]
) -> list[object]:
    """Make a function fail where ``bad`` says so; return what went well."""
    real, done = getattr(module, name), []

    def poisoned(*args: Any, **kwargs: Any) -> Any:
        if bad(*args, **kwargs):
            raise Poisoned
        result = real(*args, **kwargs)
        done.append(result)
        return result

    monkeypatch.setattr(module, name, poisoned)
    return done


def told() -> list[str]:
    return list(Notice.objects.open().filter(kind="fault").values_list("subject", flat=True))


def records(state: str, **fields: Any) -> list[UpgradeRecord]:
    return [UpgradeRecordFactory(state=state, **fields) for _ in range(N)]


def check_it_is_seen_and_heals(
    monkeypatch: pytest.MonkeyPatch, task: Callable[[], int], subject: str, client: Client
) -> None:
    assert [each for each in told() if subject in each], told()
    assert subject in client.get("/admin/").content.decode()
    monkeypatch.undo()
    task()
    assert told() == []


def test_snoozed_ones_wake(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    made = records("snoozed", snoozed_until=NOW - DAY)
    poison(monkeypatch, rollout.moves, "move", bad=lambda **told: told["record_id"] == made[0].pk)
    tasks.wake_snoozed()
    states = [UpgradeRecord.objects.get(pk=each.pk).state for each in made]
    assert states == ["snoozed", "recommended", "recommended"]
    check_it_is_seen_and_heals(
        monkeypatch, tasks.wake_snoozed, f"Waking upgrade {made[0].pk}", admin_client
    )


@pytest.mark.parametrize(
    ("state", "look"),
    [
        ("approved", "advance_approved"),
        ("testing", "advance_tested"),
        ("canary", "_advance_canary"),
    ],
)
def test_upgrades_under_way_are_looked_at(
    state: str, look: str, monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    made = records(state)
    looked: list[int] = []

    def look_at(*, record_id: int, now: dt.datetime) -> None:
        if record_id == made[0].pk and "healed" not in looked:
            raise Poisoned
        looked.append(record_id)

    monkeypatch.setitem(rollout._ADVANCE, UpgradeRecord.State(state), look_at)
    tasks.carry_on()
    assert looked == [made[1].pk, made[2].pk]
    assert told() == [f"Upgrade {made[0].pk} ({made[0]})"]
    looked.append("healed")
    tasks.carry_on()
    assert told() == []


def test_a_fault_of_the_policies_keeps_no_canary_from_a_look(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    Policy.objects.create(automation="after_gates")
    waiting = records("recommended")
    on = records("canary")
    looked: list[int] = []
    monkeypatch.setitem(
        rollout._ADVANCE,
        UpgradeRecord.State.CANARY,
        lambda *, record_id, now: looked.append(record_id),
    )
    asked = poison(
        monkeypatch,
        python_api,
        "why_not_by_itself",
        bad=lambda *, record, **_: record.pk == waiting[0].pk,
    )
    tasks.carry_on()
    assert len(asked) == 2
    assert looked == [each.pk for each in on]
    assert [f"Upgrade {waiting[0].pk} " in each for each in told()] == [True]


def test_a_fault_of_a_whole_stage_keeps_no_other_from_its_turn(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    on = records("canary")
    looked: list[int] = []
    monkeypatch.setitem(
        rollout._ADVANCE,
        UpgradeRecord.State.CANARY,
        lambda *, record_id, now: looked.append(record_id),
    )
    poison(monkeypatch, python_api.recommendation, "open_recommendations", bad=lambda: True)
    tasks.carry_on()
    assert looked == [each.pk for each in on]
    assert told() == ["Upgrades by policy"]


def test_watches_and_reports(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    made = []
    for _ in range(N):
        record = UpgradeRecordFactory()
        record = decisions.approve(
            record_id=record.pk, actor=rollout.Actor.command(), now=NOW - 8 * DAY
        )
        made.append(record)
    watches = list(Watch.objects.order_by("pk"))
    poison(
        monkeypatch, watching, "_evaluate", bad=lambda *, watch_id, **_: watch_id == watches[0].pk
    )
    poison(monkeypatch, watching, "_report", bad=lambda *, record, **_: record.pk == made[0].pk)
    tasks.carry_on()
    assert Watch.objects.open().count() == 1
    assert OutcomeReport.objects.count() == 2
    check_it_is_seen_and_heals(
        monkeypatch, tasks.carry_on, f"Watch of upgrade {made[0].pk}", admin_client
    )
    assert OutcomeReport.objects.count() == 3


def retiring(name: str) -> ModelVersion:
    model = tracked(name=name, owner="ada@example.com")
    version = model.current_version
    ModelVersion.objects.filter(pk=version.pk).update(retires_on=(NOW + 7 * DAY).date())
    return version


def test_reminders_are_written_and_sent(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    versions = [retiring(f"zeta-{n}") for n in range(N)]
    poison(monkeypatch, retirement, "_write", bad=lambda version, **_: version.pk == versions[0].pk)
    tasks.remind()
    assert Reminder.objects.count() == len(mail.outbox) == 2
    check_it_is_seen_and_heals(
        monkeypatch, tasks.remind, f"Reminder of {versions[0].tracked_model}", admin_client
    )
    assert len(mail.outbox) == 3


def test_a_reminder_that_breaks_the_mail_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    for n in range(N):
        retiring(f"zeta-{n}")
    retirement.write_reminders(now=NOW)
    first = Reminder.objects.order_by("pk").first()
    poison(monkeypatch, mailing, "send", bad=lambda *, subject, **_: subject == first.subject)
    tasks.remind()
    assert len(mail.outbox) == 2
    assert [each for each in told() if each.startswith("Delivery of event")]


def test_a_name_with_a_line_break_is_reminded_of_too() -> None:
    retiring("zeta\nsecond line")
    tasks.remind()
    assert [message.subject.count("\n") for message in mail.outbox] == [0]
    assert told() == []


def test_drift_of_versions(monkeypatch: pytest.MonkeyPatch, admin_client: Client) -> None:
    versions = [tracked().current_version for _ in range(N)]
    looked = poison(
        monkeypatch, drift, "_find", bad=lambda version_id, **_: version_id == versions[0].pk
    )
    tasks.find_drift()
    assert len(looked) == 2
    assert not DriftFinding.objects.exists()
    check_it_is_seen_and_heals(
        monkeypatch, tasks.find_drift, f"Drift of version {versions[0].pk}", admin_client
    )


def samples_of(*versions: ModelVersion, at: dt.datetime = NOW) -> None:
    items = [
        SampleIn(
            provider=version.tracked_model.provider.slug,
            model=version.tracked_model.name,
            resolved_id=version.upstream_id,
            quality=0.5,
            time=at,
        )
        for version in versions
    ]
    assert ingestion.accept(items, api_key_id=None, now=NOW).accepted == len(items)


def test_a_part_that_is_no_sum_keeps_no_other_from_being_folded(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    versions = [tracked(upstream_id=f"zeta-{n}").current_version for n in range(N)]
    samples_of(*versions)
    bad = RollupPart.objects.order_by("pk").first()
    RollupPart.objects.filter(pk=bad.pk).update(latency_sketch=b"no sketch")
    tasks.fold_samples()
    assert list(RollupPart.objects.values_list("pk", flat=True)) == [bad.pk]
    assert Rollup.objects.count() == 2
    assert told() == ["Sums of samples"]
    RollupPart.objects.filter(pk=bad.pk).update(latency_sketch=b"")
    tasks.fold_samples()
    assert Rollup.objects.count() == 3
    assert told() == []


def test_a_day_that_cannot_be_folded_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    version = tracked().current_version
    for days in (15, 14, 13):
        samples_of(version, at=NOW - days * DAY)
    rollups.fold(now=NOW)
    first = Rollup.objects.order_by("start").first()
    Rollup.objects.filter(pk=first.pk).update(latency_sketch=b"no sketch")
    tasks.tidy_samples()
    assert sorted(Rollup.objects.values_list("span", flat=True)) == [1, 24, 24]
    assert told() == [f"Sums of {dates.day(first.start)}"]


def test_a_stage_of_the_samples_keeps_no_other(
    monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    samples_of(tracked().current_version)
    poison(monkeypatch, late_scores, "sweep_pending", bad=lambda: True)
    poison(monkeypatch, attachment, "attach", bad=lambda **_: True)
    tasks.fold_samples()
    assert Rollup.objects.count() == 1
    assert told() == ["Late scores", "Samples of models tracked since"]


def test_evaluation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def carry_out(*, run_id: int, **_: Any) -> bool:
        if run_id == 1:
            raise Poisoned
        taken.append(run_id)
        return True

    class Open:
        def order_by(self, *_: str) -> "Open":
            return self

        def values_list(self, *_: str, **__: bool) -> list[int]:
            return [1, 2, 3]

    monkeypatch.setattr(running, "carry_out", carry_out)
    monkeypatch.setattr(type(running.EvaluationRun.objects), "open", lambda _: Open())
    tasks.run_evaluations()
    assert taken == [2, 3]
    assert told() == ["Evaluation run 1"]


class Failing(Adapter):
    """An adapter with a fault of its own."""

    kind = "failing"

    def __init__(self, error: BaseException | None) -> None:
        self.error = error

    def list_models(self, *, at: dt.datetime) -> Listing:
        if self.error is not None:
            raise self.error
        return Listing((ListedModel(id="zeta-9"),))


@pytest.mark.parametrize("error", [Poisoned(), RecursionError(), OSError(), KeyError("x")])
def test_a_fault_of_one_adapter_ends_its_check_and_no_other(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *good = [ProviderFactory() for _ in range(N)]
    monkeypatch.setattr(
        detection,
        "_adapter_of",
        lambda provider: Failing(error if provider.pk == bad.pk else None),
    )
    tasks.check_providers(trigger="command")
    assert Check.objects.get(provider=bad).state == "failed"
    assert {Check.objects.get(provider=each).state for each in good} == {"changed"}
    assert not Check.objects.running().exists()


def test_a_fault_while_recording_ends_one_check_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, *good = [ProviderFactory() for _ in range(N)]
    monkeypatch.setattr(detection, "_adapter_of", lambda _: Failing(None))
    poison(monkeypatch, listing, "write", bad=lambda compared, **_: compared.provider == bad)
    tasks.check_providers(trigger="command")
    assert Check.objects.get(provider=bad).state == "failed"
    assert {Check.objects.get(provider=each).state for each in good} == {"changed"}


def test_every_task_that_runs_by_itself_is_a_sweep_that_tells() -> None:
    """Each body hands its work to ``sweeps.in_turn``: nothing due fails unseen."""
    import ast
    import inspect

    from versioning.services.checks import schedules

    tree = ast.parse(inspect.getsource(tasks))
    bodies = {
        ast.literal_eval(call.keywords[0].value): ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call)
    }
    for entry in schedules.entries():
        assert "sweeps.in_turn(" in bodies[entry.task], entry.task
