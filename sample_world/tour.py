"""The tour: what Hotswap does, row by row of the list that it is measured by, each where it lives.

Whatever is named here must be there: ``.ci/demo.py`` follows every link of a fresh world, and looks
for the words that it is to show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse

from sample_world import story
from versioning.domain.transitions import State
from versioning.models import (
    Check,
    EvaluationRun,
    EvaluationSuite,
    ModelVersion,
    Notice,
    PerformanceSample,
    Policy,
    TrackedModel,
    UpgradeRecord,
)

Find = Callable[[], str | None]
"""Where the living example is; None where there is none (any more)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing to see: the rows of the list that it is, a sentence, and where."""

    rows: str
    title: str
    sentence: str
    find: Find
    shows: str
    """Words that stand on the page."""


@dataclass(frozen=True, slots=True)
class Part:
    """Stops that belong together."""

    title: str
    stops: Sequence[Stop]


def _list(name: str, **asked: object) -> Find:
    def find() -> str:
        query = f"?{urlencode(asked)}" if asked else ""
        return reverse(f"admin:{name}_changelist") + query

    return find


def _page(rows: Callable[[], QuerySet[Any]], name: str = "change") -> Find:
    """Find the page of the newest of the rows."""

    def find() -> str | None:
        found = rows().order_by("-pk").first()
        if found is None:
            return None
        meta = found._meta
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[found.pk])

    return find


def _record(model: str, *states: State, page: str = "change", **more: object) -> Find:
    named: dict[str, Any] = {"tracked_model__name": model, **more}
    if states:
        named["state__in"] = [state.value for state in states]
    return _page(lambda: UpgradeRecord.objects.filter(**named), page)


def _model(name: str) -> Find:
    return _page(lambda: TrackedModel.objects.filter(name=name))


def _version(**what: Any) -> Find:
    return _page(lambda: ModelVersion.objects.filter(**what))


def _check(**what: Any) -> Find:
    return _page(lambda: Check.objects.filter(**what))


def _run(**what: Any) -> Find:
    return _page(lambda: EvaluationRun.objects.filter(**what))


def _policy(**what: Any) -> Find:
    return _page(lambda: Policy.objects.filter(**what))


def _notice(kind: Notice.Kind) -> Find:
    return _page(lambda: Notice.objects.filter(kind=kind))


def _compare() -> str | None:
    found = UpgradeRecord.objects.waiting().filter(tracked_model__name=QWEN).last()
    if found is None:
        return None
    pair = urlencode({"from": found.from_version_id, "to": found.to_version_id})
    return f"{reverse('admin:versioning_modelversion_compare')}?{pair}"


def _of_model(provider: str, model: str, rest: str) -> Find:
    return lambda: f"/api/model-versions/{provider}/{model}/{rest}"


_estimate = _page(lambda: EvaluationSuite.objects.filter(name="support answers"), "run")


QWEN = "qwen-2.5-7b-instruct"


def _inbox() -> str:
    return reverse("admin:index")


PARTS = (
    Part(
        "What is new, and what goes",
        (
            Stop("1", "Checks", "Each night every provider is asked; what changed is kept with "
                 "its difference.", _check(state=Check.State.CHANGED), "Raw difference"),
            Stop("2, H", "Could not check", "A server that is down says nothing about its models: "
                 "failed is a state of its own.", _check(provider__slug=story.BROKEN_TODAY,
                 state=Check.State.FAILED), "failed"),
            Stop("3", "Missing from a list", "A model that vanished from its list counts as gone "
                 "only after several good lists, and is asked for first.",
                 _version(tracked_model__name="mixtral-8x7b-instruct"), "Asked directly"),
            Stop("4, C", "Another id answered", "Asked for one id, answered by another: since "
                 "when, and how often.", _list("versioning_serveddrift"), "gpt-3.5-turbo-1106"),
            Stop("4", "What an alias stood for", "An alias moved: from which day it stands for "
                 "which snapshot.", _list("versioning_aliastarget"), "gpt-4o-2024-11-20"),
            Stop("5", "Why this one", "Successors with their reasons, and what else was "
                 "considered.", _record(QWEN, page="why"), "Considered"),
            Stop("5", "A maybe", "Nothing proves that it follows: a person says what it is.",
                 _record("deepseek-chat", step=UpgradeRecord.Step.MAYBE), "maybe"),
            Stop("6, 7, B", "It retires, and when to start", "The last safe day to begin, "
                 "with what the move takes; owners get mails before it.", _inbox,
                 "to start this week"),
            Stop("6, 8, 51", "Retirements", "All of them on one line of time, with the last safe "
                 "start of each; where no date is known, a forecast as a range.",
                 lambda: reverse("admin:versioning_trackedmodel_retirements"), "claude-2.0"),
            Stop("7, 38", "Mails to owners", "Reminders by mail, each once; in the demo they "
                 "lie in a folder.", _list("versioning_delivery"), "legal-tools@example.com"),
            Stop("9, A", "What would change", "Capabilities, limits, parameters and prices, "
                 "beside the evidence: the sheet that a decision is made on.",
                 _record(QWEN), "quality"),
            Stop("10", "Prices by date", "A price fell; what was spent before is never priced "
                 "again.", _list("versioning_finding", kind__exact="metadata"), "price"),
            Stop("54", "Listed is not callable", "It is on the list, and refused when it was asked "
                 "for: so nobody is offered it.", _check(provider__slug="mistral",
                 findings__kind="refused"), "not enabled for your organisation"),
        ),
    ),
    Part(
        "What your requests say",
        (
            Stop("11, 51", "A model over time", "Requests, quality, latency, cost and errors, with "
                 "intervals and every move marked.", _model("gemini-1.5-flash"), "Quality"),
            Stop("12", "Best per task", "Quality against cost, and the front that nothing beats.",
                 lambda: reverse("admin:versioning_modelversion_best") + "?task=chat", "chat"),
            Stop("13, F", "Slices", "No version is called better while it is worse for one "
                 "language.", _list("versioning_slicetag"), "language"),
            Stop("14, 15, 53, K", "Two versions side by side", "The same days and tasks, with an "
                 "interval that holds however often you look.", _compare, "side by side"),
            Stop("16", "Not enough evidence", "Is a verdict, and says how much more would settle "
                 "it.", _record("gemini-1.5-flash", State.RECOMMENDED), "evidence"),
            Stop("39", "Samples", "Each request that was told: figures only, never a prompt.",
                 _list("versioning_performancesample"), "production"),
            Stop("40", "Left-out spans", "Traces of another dialect aren't read, and that is said.",
                 _list("versioning_leftoutspans"), "OpenInference"),
            Stop("42", "A score that came later", "A thumb, a day after its request.",
                 _page(lambda: PerformanceSample.objects.filter(signals__isnull=False)),
                 "1.00"),
            Stop("4, 59", "Seen, not tracked", "Models that applications use and nobody "
                 "follows.", _list("versioning_unknownmodel"), "gpt-4o-mini"),
            Stop("11", "Drift", "It got worse behind an unchanged name: from which day on.",
                 _list("versioning_driftfinding"), "claude-3-5-haiku"),
            Stop("D", "Cost of a success", "Failed requests cost, too: the cost of what came "
                 "out.", _compare, "uccess"),
        ),
    ),
    Part(
        "Tests",
        (
            Stop("18", "A finished run", "Both versions on the same cases, pair by pair.",
                 _run(state=EvaluationRun.State.DONE, frozen__suite__name="support answers"),
                 "80 of 80 requests"),
            Stop("20, I", "A run under way", "Twelve requests a minute, as the suite allows: "
                 "progress, cost so far, and a way to stop it.",
                 _run(frozen__suite__name="slow server"), "slow server"),
            Stop("20, 21, E", "What a run would take", "Requests, tokens, money and time before "
                 "anything is asked, and what the new version would refuse.", _estimate,
                 "support answers"),
            Stop("29", "Tests failed", "The policy asks for a suite, and the new version failed "
                 "it.", _record(story.FORMS, State.FAILED), "ailed"),
        ),
    ),
    Part(
        "Moves",
        (
            Stop("23, 24", "A canary under way", "Its steps, its last look, and the person it "
                 "waits for.", _record(story.SEARCH, State.CANARY), "anary"),
            Stop("17, 25", "A paused canary", "More requests went to the new version than the "
                 "step means: no figure can be trusted, so a person is asked.",
                 _record(story.TRIAGE, State.CANARY), "paused"),
            Stop("25", "A canary that was stopped", "Surely worse: every key got the old version "
                 "back at once.", _record(story.TRANSLATE, State.ABORTED), "borted"),
            Stop("26", "One of two approvals", "The policy asks for two people, and one has "
                 "said yes.", _record(story.LEGAL, State.RECOMMENDED),
                 "Once 2 people have approved it"),
            Stop("27", "An approval that fell", "What was approved turned out otherwise, so the "
                 "yes no longer counts.", _notice(Notice.Kind.APPROVAL_FELL), story.NOTES),
            Stop("29", "What would happen now", "Every rule of a policy, and whose it is.",
                 _of_model("mistral", "mistral-small", "explain"), "\"age\""),
            Stop("30", "Too young", "It may go by itself, once it is 30 days old.",
                 _policy(tracked_model__name="mistral-small"), "inimum age"),
            Stop("29, 30", "Held back, and why", "Newer versions that wait for a rule, each "
                 "with the way to release it.", _inbox, "eld back"),
            Stop("31, 32", "Windows and pace", "By itself only on weekdays before the afternoon, "
                 "two a day at most.", _policy(provider__slug="openrouter"), "Europe/Prague"),
            Stop("32", "A freeze", "Nothing moves by itself at the end of the year.",
                 _list("versioning_freeze"), "End of the year"),
            Stop("33", "Rolled back by a person", "Two clicks and a reason; a record of its own.",
                 _record("gpt-4o", State.ROLLED_BACK), "parser of tables"),
            Stop("33", "Rolled back by itself", "Worse after the move, and the policy lets it go "
                 "back.", _record(story.REPLIES, State.ROLLED_BACK), "olled back"),
            Stop("J", "Worse after the move", "The policy doesn't let this one go back by itself: "
                 "a notice asks.", _notice(Notice.Kind.WORSE), story.TAGS),
            Stop("34, G", "No way back", "The version to go back to was taken off its list: "
                 "nothing begins, and the approval falls.", _notice(Notice.Kind.WAY_BACK),
                 story.LARGE),
            Stop("J", "Rejected, with a wake-up rule", "Offered again when the price has fallen by "
                 "30 %.", _record("codestral", State.REJECTED), "price"),
            Stop("J", "Promise and reality", "A week after a move: what was promised, what came.",
                 _record("gemini-1.5-flash", State.COMPLETED, step="revision"), "7 days"),
            Stop("29", "Pinned", "Staff say that it stays, and why.", _model("llama3.1"),
                 "office benchmark"),
        ),
    ),
    Part(
        "What is kept, and who may",
        (
            Stop("35", "History", "Who, when, why, and the evidence as it was then; nothing is "
                 "rewritten.", _record("gpt-4o", State.ROLLED_BACK), "Better on our questions"),
            Stop("36", "What served on that day?", "One question with a date.",
                 _of_model("openai", "gpt-4o", "history"), "1.2.0"),
            Stop("37", "Events", "What happened, in order, for whoever follows.",
                 _list("versioning_event"), "canary"),
            Stop("43, 44", "Which version now?", "What applications ask: cacheable, and with the "
                 "date on which it ends.", _of_model("anthropic", "claude-2.0", "current"),
                 "claude-2.0"),
            Stop("45", "Search and filters", "Every list, at any size.",
                 _list("versioning_modelversion", q="gpt-4o"), "gpt-4o"),
            Stop("46", "Keys", "Scopes, last use, revoked at once.", _list("versioning_apikey"),
                 "Sample applications"),
            Stop("47", "Schedules", "What runs by itself, and when.",
                 _list("django_celery_beat_periodictask"), "Daily check of the providers"),
            Stop("48", "Health", "The process, the database, how old the news is.",
                 lambda: "/readyz", story.BROKEN_TODAY),
            Stop("52", "The API", "Every operation, tried from the page.", lambda: "/api/docs",
                 "Hotswap: the API"),
            Stop("25", "Notices", "One of each kind, the most urgent first.",
                 _list("versioning_notice"), "beat"),
        ),
    ),
)  # fmt: skip
