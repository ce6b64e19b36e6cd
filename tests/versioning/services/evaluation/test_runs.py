"""Runs against simulated providers over real HTTP: scored, within budget, resumable, judged."""

import datetime as dt
import json
from decimal import Decimal
from itertools import count
from pkgutil import resolve_name

import pytest
from celery.signals import worker_shutting_down

from sample_world.simulator.server import KEY
from tests.factories import (
    NOW,
    ModelVersionFactory,
    ProviderFactory,
    UpgradeRecordFactory,
    tracked,
)
from versioning.domain.evaluation.preflight import Fit
from versioning.domain.statistics.verdict import Verdict
from versioning.models import (
    EvaluationRun,
    EvaluationSuite,
    ModelVersion,
    PerformanceSample,
    Trial,
)
from versioning.services import leases, stopping
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid
from versioning.services.evaluation import (
    budget,
    compatibility,
    control,
    planning,
    results,
    running,
    suites,
)
from versioning.services.upgrades import testing

pytestmark = pytest.mark.django_db
PRICES = {"input_price": Decimal(1), "output_price": Decimal(3)}
CASES = 30


@pytest.fixture
def provider(simulator, monkeypatch):
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    for model_id, quality in (("zeta-1", 0.3), ("zeta-2", 1.0)):
        simulator.world.add("openai", model_id, quality={"*": quality})
    return ProviderFactory(
        slug="sim",
        kind="openai",
        base_url=simulator.base_url("openai"),
        api_key_env="SIMULATED_KEY",
    )


@pytest.fixture
def versions(provider):
    model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
    first = model.current_version
    ModelVersion.objects.filter(pk=first.pk).update(**PRICES)
    first.refresh_from_db()
    second = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2", **PRICES)
    return first, second


def make_suite(*, cases=CASES, prompt="What is {n} + 4?", **values):
    suite = EvaluationSuite.objects.create(
        **{
            "name": "sums",
            "task": "arithmetic",
            "scorers": ["number"],
            "max_tokens": 20,
            "budget_usd": Decimal(1),
            **values,
        }
    )
    rows = [{"prompt": prompt.format(n=n), "expected": str(n + 4)} for n in range(cases)]
    content = "\n".join(json.dumps(row) for row in rows).encode()
    read = suites.read_file(suite=suite, content=content, form="jsonl")
    assert suites.import_cases(suite=suite, read=read).new == cases
    return suite


def begin(suite, versions, **budget):
    plan = planning.plan(
        suite=suite, from_version=versions[0], to_version=versions[1], now=NOW, **budget
    )
    return planning.begin(plan=plan, actor=Actor.command(), now=NOW)


def work(clock=lambda: NOW):
    running.carry_out_open_runs(clock=clock)
    return EvaluationRun.objects.order_by("-pk").first()


def test_the_better_version_is_found_better(versions):
    begin(make_suite(), versions)
    run = work()
    assert run.state == EvaluationRun.State.DONE
    assert Verdict(run.verdict) is Verdict.BETTER
    assert "the same 30 cases; better" in run.sentence
    assert run.result["candidate"] == 1.0
    assert run.trials.done().count() == run.total == 60
    assert 0 < run.spent_usd < run.budget_usd
    assert run.held_usd == 0


def test_the_worse_version_is_found_worse(versions):
    begin(make_suite(), versions[::-1])
    assert Verdict(work().verdict) is Verdict.WORSE


def test_estimate_and_reality_are_within_twice_of_each_other(versions):
    suite = make_suite(prompt="Add these two numbers, and answer with the sum alone: {n} + 4")
    begin(suite, versions)
    run = work()
    again = planning.plan(suite=suite, from_version=versions[0], to_version=versions[1], now=NOW)
    assert 0.5 < float(again.estimate.cost_usd / run.spent_usd) < 2


def test_a_run_names_its_suite_by_hash_and_keeps_what_it_was(versions):
    suite = make_suite(cases=12)
    run = begin(suite, versions)
    suite.cases.all().delete()
    assert work().trials.done().count() == 24
    assert run.frozen.case_count == 12


def test_answers_become_samples_with_the_source_evaluation(versions):
    begin(make_suite(cases=12), versions)
    work()
    source = PerformanceSample.Source.EVALUATION
    found = PerformanceSample.objects.filter(version=versions[1], source=source)
    assert found.count() == 12
    assert {sample.quality for sample in found} == {1.0}


def test_outputs_are_kept_only_where_the_suite_allows(versions):
    begin(make_suite(cases=10), versions)
    assert not work().trials.exclude(output="").exists()
    begin(make_suite(cases=10, name="kept", keep_outputs=True), versions)
    assert work().trials.exclude(output="").count() == 20


@pytest.mark.parametrize(
    ("mark", "outcome"), [("[[refuse]]", "refused"), ("[[empty]]", "empty"), ("[[cut]]", "cut_off")]
)
def test_kinds_of_answers_are_told_apart(versions, mark, outcome):
    begin(make_suite(cases=10, prompt=f"{mark} {{n}} + 100000"), versions)
    assert work().result["arms"]["candidate"]["outcomes"] == {outcome: 10}


def test_a_run_stops_before_it_could_pass_its_budget(versions):
    begin(make_suite(budget_usd=None, budget_tokens=2_000), versions)
    EvaluationRun.objects.update(budget_tokens=200)  # the estimate was far too low
    run = work()
    assert run.state == EvaluationRun.State.OVER_BUDGET
    assert run.spent_tokens <= 200
    assert 0 < run.trials.done().count() < run.total
    assert Verdict(run.verdict) is Verdict.NOT_ENOUGH_DATA

    asked_before = list(run.trials.done().values_list("pk", "done_at"))
    control.go_on(run_id=run.pk, now=NOW, budget_tokens=1_000_000)
    run = work(clock=lambda: NOW + dt.timedelta(hours=1))
    assert run.state == EvaluationRun.State.DONE
    assert set(asked_before) <= set(run.trials.done().values_list("pk", "done_at"))


def test_a_run_without_any_limit_never_starts(versions):
    with pytest.raises(Invalid, match="Set a budget"):
        begin(make_suite(budget_usd=None), versions)


def test_dollars_can_not_limit_what_has_no_price(versions):
    ModelVersion.objects.filter(pk=versions[1].pk).update(output_price=None)
    versions[1].refresh_from_db()
    with pytest.raises(Invalid, match="price of zeta-2 is unknown"):
        begin(make_suite(), versions)


def test_an_estimate_above_the_budget_is_said_before(versions):
    with pytest.raises(Invalid, match="raise it, or take fewer cases"):
        begin(make_suite(budget_usd=Decimal("0.0001")), versions)


def test_what_a_dead_worker_had_under_way_is_counted_and_asked_again(versions, simulator):
    run = begin(make_suite(cases=10), versions)
    assert running._take(run_id=run.pk, worker="dead", now=NOW)
    trial = run.trials.first()
    price = budget.CostCap(usd=Decimal("0.01"), tokens=100)
    assert budget.hold(trial=trial, price=price, worker="dead", now=NOW) is budget.HoldResult.YES

    assert work().state == EvaluationRun.State.RUNNING  # its lease still runs
    run = work(clock=lambda: NOW + leases.LEASE * 2)
    assert run.state == EvaluationRun.State.DONE
    assert run.spent_usd > Decimal("0.01")
    trial.refresh_from_db()
    assert trial.asks == 2
    assert run.trials.exclude(pk=trial.pk).filter(asks=1).count() == 19


def test_a_worker_that_is_asked_to_end_leaves_the_rest_to_the_next_at_once(versions):
    begin(make_suite(cases=30, concurrency=1), versions)
    looks = count(1)

    def clock():
        if next(looks) == 20:
            worker_shutting_down.send(sender=None, sig="SIGTERM", how="Warm", exitcode=0)
        return NOW

    try:
        run = work(clock)
        assert (run.state, run.worker) == (EvaluationRun.State.RUNNING, "")
        assert 0 < run.trials.left().count() < 60
        left = run.trials.left().count()
        assert work().trials.left().count() == left  # it begins nothing more
    finally:
        stopping.forget()

    assert work().state == EvaluationRun.State.DONE  # without waiting for the lease's end
    assert set(run.trials.values_list("asks", flat=True)) == {1}


def test_a_worker_that_lost_the_run_holds_nothing(versions):
    run = begin(make_suite(cases=10), versions)
    running._take(run_id=run.pk, worker="old", now=NOW)
    running._take(run_id=run.pk, worker="new", now=NOW + leases.LEASE * 2)
    price = budget.CostCap(usd=Decimal(0), tokens=1)
    held = budget.hold(trial=run.trials.first(), price=price, worker="old", now=NOW)
    assert held is budget.HoldResult.STOPPED


def test_a_cancelled_run_asks_nothing_more_and_can_go_on(versions, simulator):
    run = begin(make_suite(cases=10), versions)
    control.cancel(run_id=run.pk, actor=Actor.command("ada"), now=NOW)
    before = simulator.counts()["openai"]
    assert work().state == EvaluationRun.State.CANCELLED
    assert simulator.counts()["openai"] == before
    with pytest.raises(AlreadyMoved):
        control.cancel(run_id=run.pk, actor=Actor.command(), now=NOW)
    control.go_on(run_id=run.pk, now=NOW)
    assert work().state == EvaluationRun.State.DONE


def test_a_provider_that_is_away_is_no_failure_of_the_version(versions, simulator):
    simulator.fail("openai", "http_500", scope="chat")
    begin(make_suite(cases=10), versions)
    run = work()
    assert run.result["arms"]["candidate"]["outcomes"] == {"error": 10}
    assert Verdict(run.verdict) is Verdict.NOT_ENOUGH_DATA


def test_a_refused_key_ends_the_run_at_once(versions, simulator):
    simulator.fail("openai", "unauthorized", scope="chat")
    begin(make_suite(), versions)
    run = work()
    assert run.state == EvaluationRun.State.FAILED
    assert run.problem
    assert run.trials.done().count() < run.total


def judge_model(simulator):
    simulator.world.add("anthropic", "arbiter-1")
    provider = ProviderFactory(
        slug="judges",
        kind="anthropic",
        base_url=simulator.base_url("anthropic"),
        api_key_env="SIMULATED_KEY",
    )
    model = tracked(name="arbiter", upstream_id="arbiter-1", provider=provider)
    ModelVersion.objects.filter(pk=model.current_version_id).update(**PRICES)
    model.refresh_from_db()
    return model


def test_a_judge_of_the_same_family_is_refused_unless_allowed(versions, provider):
    judge = tracked(name="zeta-judge", upstream_id="zeta-9", provider=provider)
    ModelVersion.objects.filter(pk=judge.current_version_id).update(**PRICES)
    suite = make_suite(judge=judge)
    with pytest.raises(Invalid, match="of the family"):
        begin(suite, versions)
    suite.judge_of_own_family = True
    suite.save()
    assert begin(suite, versions).total == CASES * 4


def test_a_judge_that_can_not_be_read_decides_nothing(versions, simulator):
    begin(make_suite(cases=10, judge=judge_model(simulator)), versions)
    run = work()
    assert run.trials.filter(arm__in=["judge", "swapped"]).done().count() == 20
    assert all(pair.preference is None for pair in results.pairs(run.trials.all()))
    assert run.result["cases"] == 10  # the scorer still counts


def test_an_answer_beats_none_without_a_judge(versions, simulator):
    run = begin(make_suite(cases=1, scorers=[], judge=judge_model(simulator)), versions)
    run.trials.filter(arm="current").update(outcome="empty", score=0, done_at=NOW)
    run.trials.filter(arm="candidate").update(outcome="complete", output="x", done_at=NOW)
    (pair,) = results.pairs(run.trials.all())
    assert (pair.current_score, pair.candidate_score) == (0.0, 1.0)


def test_tests_of_an_upgrade_wait_pass_and_fail(versions, staff):
    suite = make_suite()
    record = UpgradeRecordFactory(
        tracked_model=versions[0].tracked_model, to_version=versions[1], state="approved"
    )
    names = [suite.name]
    assert (
        testing.results_of(record=record, suite_names=names).outcome
        is testing.SuitesOutcome.WAITING
    )
    testing.begin_tests(record=record, suite_names=names, actor=staff, now=NOW)
    with pytest.raises(AlreadyMoved):
        testing.begin_tests(record=record, suite_names=names, actor=staff, now=NOW)
    assert (
        testing.results_of(record=record, suite_names=names).outcome
        is testing.SuitesOutcome.WAITING
    )
    work()
    said = testing.results_of(record=record, suite_names=names)
    assert said.outcome is testing.SuitesOutcome.PASSED
    assert "better" in said.sentence
    EvaluationRun.objects.update(verdict=Verdict.NOT_ENOUGH_DATA.value)
    said = testing.results_of(record=record, suite_names=names)
    assert said.outcome is testing.SuitesOutcome.WAITING
    assert "a person decides" in said.sentence
    EvaluationRun.objects.update(verdict=Verdict.WORSE.value)
    assert (
        testing.results_of(record=record, suite_names=names).outcome is testing.SuitesOutcome.FAILED
    )


class TestConclusions:
    """What goes wrong with one run ends it as failed, with the reason, and holds up no other."""

    POISONS = (
        "versioning.domain.statistics.paired.compare_cases",
        "versioning.services.evaluation.results.pairs",
        "versioning.services.samples.ingestion.accept",
        "versioning.services.evaluation.questions.Questions.of",
    )

    @pytest.mark.parametrize("poisoned", POISONS)
    def test_one_is_poisoned_the_other_ends(self, versions, monkeypatch, poisoned):
        first = begin(make_suite(cases=3), versions)
        second = begin(make_suite(cases=3, name="others"), versions)
        module, _, name = poisoned.rpartition(".")
        owner = resolve_name(module)
        healthy, calls = getattr(owner, name), []

        def poison(*args, **kwargs):
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError("spilt milk")
            return healthy(*args, **kwargs)

        monkeypatch.setattr(owner, name, poison)
        assert running.carry_out_open_runs() == 2

        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.state, second.state) == ("failed", "done")
        assert "spilt milk" in first.problem
        assert not EvaluationRun.objects.open().exists()

    @pytest.mark.parametrize("cases", [1, 2, 3])
    def test_few_cases_with_graded_scores_are_no_data(self, versions, cases):
        run = begin(make_suite(cases=cases, scorers=["similarity"]), versions)
        run.trials.update(done_at=NOW, outcome="complete", score=0.37)
        run.trials.filter(arm="candidate").update(score=0.52)
        work()
        run.refresh_from_db()
        assert (run.state, run.verdict) == ("done", "not_enough_data")

    def test_a_ruling_is_only_for_what_cant_tell(self, versions, staff):
        run = begin(make_suite(), versions)
        with pytest.raises(AlreadyMoved, match="can't be ruled on"):
            control.rule(run_id=run.pk, passes=True, actor=staff, now=NOW)
        work()
        with pytest.raises(AlreadyMoved, match="shows it itself: better"):
            control.rule(run_id=run.pk, passes=True, actor=staff, now=NOW)


@pytest.mark.parametrize(
    ("cases", "margin", "says"),
    [
        (50, None, "With 50 cases and a margin of 0.1, an equal version passes in about "),
        (50, "0.02", "for 80%, 1,701 cases or a margin of 0.115 are needed."),
    ],
)
def test_before_a_run_it_is_said_what_it_can_show(versions, cases, margin, says):
    suite = make_suite(cases=cases, margin=margin)
    plan = planning.plan(suite=suite, from_version=versions[0], to_version=versions[1], now=NOW)
    assert says in plan.outlook.sentence


def test_a_policy_that_names_no_suite_of_ours_is_told_so(versions, staff):
    record = UpgradeRecordFactory(
        tracked_model=versions[0].tracked_model, to_version=versions[1], state="approved"
    )
    with pytest.raises(Invalid, match="no evaluation suite 'none'"):
        testing.begin_tests(record=record, suite_names=["none"], actor=staff, now=NOW)


def test_marks_of_people_measure_the_judge(versions, staff):
    begin(make_suite(cases=10, keep_outputs=True), versions)
    run = work()
    control.mark(
        run_id=run.pk, case_key="case-1", repeat=1, prefers="candidate", actor=staff, now=NOW
    )
    control.mark(run_id=run.pk, case_key="case-1", repeat=1, prefers="same", actor=staff, now=NOW)
    assert run.marks.get().prefers == "same"
    assert results.agreement_of(run).marked == 0  # there was no judge
    with pytest.raises(Invalid):
        control.mark(run_id=run.pk, case_key="case-1", repeat=1, prefers="x", actor=staff, now=NOW)


def test_repeats_ask_each_case_again(versions):
    begin(make_suite(cases=10, repeats=3), versions)
    run = work()
    assert run.total == 60
    assert run.result["cases"] == 10
    assert Trial.objects.filter(run=run, repeat=3).count() == 20


def test_the_preflight_says_what_the_new_version_would_refuse(versions):
    suite = make_suite(parameters={"top_k": 3}, cases=10)
    version = versions[1]
    version.parameters, version.context_tokens, version.output_tokens = ["seed"], 10, 4096
    first, second, *_ = compatibility.preflight_of(suite=suite, version=version)
    assert (first.what, first.fit) == ("context length", Fit.MUST_CHANGE)
    assert (second.what, second.fit) == ("top_k", Fit.MUST_CHANGE)
    version.parameter_map = {"drop": ["top_k"]}
    rows = compatibility.preflight_of(suite=suite, version=version)
    assert [row.what for row in rows if row.fit is Fit.MUST_CHANGE] == ["context length"]
