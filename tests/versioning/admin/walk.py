"""A world with rows of everything, and the address of every page that shows it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import NoReverseMatch, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from tests.factories import NOW, UserFactory, tracked
from tests.versioning.admin.conftest import open_run, recommend
from tests.versioning.admin.test_pages import make_rows
from versioning.models import (
    AliasTarget,
    AutomationSwitch,
    Canary,
    Delivery,
    DriftFinding,
    Emergency,
    EvaluationCase,
    EvaluationSuite,
    Event,
    LeftOutSpans,
    ModelVersion,
    SecondFactor,
    ServedDrift,
    SliceTag,
    Team,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import versions
from versioning.services.actors import Actor
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions, discussion

EVIDENCE = {
    "sentence": "Better: quality 0.82 → 0.86",
    "decision": "NOT ENOUGH EVIDENCE",
    "reasons": ["error rate 0.5% → 0.4%: within the limit, not surely"],
    "judgement": {"verdict": "better", "estimate": 0.04, "low": 0.004, "high": 0.076},
    "gates": [
        {
            "name": "errors", "status": "unsure", "reason": "error rate: not surely within it",
            "limit": "0.01", "value": "-0.001", "low": -0.018, "high": 0.016,
        },
        {
            "name": "latency_p95", "status": "failed", "reason": "latency: surely more",
            "limit": "0.2", "value": "0.5", "low": 0.4, "high": None,
        },
    ],
    "missing": ["tests"],
}  # fmt: skip

STEPS = [{"weight": 5, "hours": 24, "approval": True}, {"weight": 50, "samples": 500}]
"""Of a canary that waits for a person."""


def make_world() -> None:
    """Make two rows of everything, evidence with plots, and upgrades in each state with a page."""
    make_rows(2)
    suite = EvaluationSuite.objects.create(
        name="sums", scorers=["number"], max_tokens=20, budget_usd=1
    )
    waiting = UpgradeRecord.objects.filter(state="recommended")
    waiting.update(evidence=EVIDENCE)
    samples = [
        SampleIn(
            provider=each.tracked_model.provider.slug, model=each.tracked_model.name,
            time=timezone.now(), quality=n % 2, latency_ms=90 + n, task="sums",
            resolved_id=version.upstream_id, cost_usd=Decimal("0.001") * (1 + m),
        )
        for m, each in enumerate(waiting)
        for version in (each.from_version, each.to_version)
        for n in range(32)
    ]  # fmt: skip
    ingestion.accept(samples, api_key_id=None, now=timezone.now())
    first, last = waiting.earliest("pk"), waiting.latest("pk")
    decisions.approve(
        record_id=first.pk, actor=Actor.command(), now=NOW, evidence_hash=first.evidence_hash
    )
    discussion.comment(
        record_id=last.pk, text="Try it in French.", asks_for_changes=True,
        actor=Actor.command(), now=NOW,
    )  # fmt: skip
    _tests(suite, last)
    _canaries()
    _others(last.to_version)
    _schedules()
    _people()


def _tests(suite: EvaluationSuite, record: UpgradeRecord) -> None:
    """Make a case, and a run of it under way."""
    EvaluationCase.objects.create(
        suite=suite, key="one", content={"prompt": "1 + 1?", "expected": "2"}
    )
    open_run(record, suite=suite)


def _canaries() -> None:
    """Make a canary that waits for somebody's word, and one that was stopped for a look."""
    now = timezone.now()
    for name, paused_at in (("at its first step", None), ("paused", now)):
        record = recommend(name=name)
        UpgradeRecord.objects.filter(pk=record.pk).update(state="canary", changed_at=now)
        Canary.objects.create(
            record=record, salt="x", steps=STEPS, began_at=now, step_began_at=now,
            looked_at=now, paused_at=paused_at, says="It waits.",
        )  # fmt: skip


def _others(version: ModelVersion) -> None:
    model = version.tracked_model
    version.migration_notes = "Mind the tools."
    versions.save_changed(version=version, changed=["migration_notes"], actor=Actor.command())
    AutomationSwitch.objects.create(on=True, changed_at=NOW)
    SliceTag.objects.create(name="language")
    LeftOutSpans.objects.create(reason="a wrapper", day=NOW.date(), spans=3)
    AliasTarget.objects.create(provider=model.provider, alias="latest", target="x", since=NOW)
    DriftFinding.objects.create(
        version=version, measure="quality", began_on=NOW.date(), sentence="Worse since.",
        found_at=NOW,
    )  # fmt: skip
    ServedDrift.objects.create(
        version=version, served="another", samples=3, since=NOW, last_seen_at=NOW
    )
    told = Event.objects.latest("pk")
    Delivery.objects.create(
        event=told, tracked_model=told.tracked_model, channel="email", to="ada@example.com",
        due_at=NOW,
    )  # fmt: skip
    Team.objects.create(name="kitchen", group=Group.objects.create(name="cooks"))
    Emergency.objects.create(
        tracked_model=tracked(name="was down"), reason="It was down.", declared_at=NOW,
        ends_at=NOW + dt.timedelta(hours=1), ended_at=NOW + dt.timedelta(hours=1),
    )  # fmt: skip


def _people() -> None:
    SecondFactor.objects.create(
        user=UserFactory(is_staff=True), kept_secret="x", last_step=0, made_at=NOW
    )


def _schedules() -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=7, period="minutes")
    PeriodicTask.objects.create(name="of ours", task="a task", interval=every)
    CrontabSchedule.objects.create(hour="7")
    ClockedSchedule.objects.create(clocked_time=NOW)


@dataclass(frozen=True, slots=True)
class Route:
    """A named address of the project, with what may stand in it."""

    name: str
    parameters: tuple[str, ...]

    def addresses(self) -> Iterator[str]:
        """Return it for each of some rows, the newest first; once, where it has no parameter."""
        for filled in self._filled():
            try:
                yield reverse(self.name, args=filled)
            except NoReverseMatch:
                yield reverse(self.name, kwargs=dict(zip(self.parameters, filled, strict=True)))

    def _filled(self) -> Iterator[tuple[object, ...]]:
        if not self.parameters:
            yield ()
            return
        table = self._table()
        if table is None:
            yield from sorted({(model._meta.app_label,) for model in _tables()})
            return
        for row in islice(table._default_manager.order_by("-pk"), 12):
            yield from ((row.pk, *more) for more in self._more(row))

    def _more(self, row: Model) -> Iterator[tuple[object, ...]]:
        """Return what stands behind the row in its address."""
        if len(self.parameters) == 1:
            yield ()
        elif self.name.endswith("_simple_history"):
            yield from row.history.values_list("pk")[:1]  # type: ignore[attr-defined]
        elif isinstance(row, TrackedModel):
            yield from row.versions.values_list("pk")
        elif isinstance(row, UpgradeRecord):
            yield from row.comments.values_list("pk")

    def _table(self) -> type[Model] | None:
        named = self.name.removeprefix("admin:")
        return next(
            (
                model
                for model in _tables()
                if named.startswith(f"{model._meta.app_label}_{model._meta.model_name}_")
            ),
            None,
        )


def _tables() -> list[type[Model]]:
    return list(admin.site._registry)


def routes(resolver: URLResolver | None = None, before: str = "", space: str = "") -> list[Route]:
    """Return the named routes, but for those of programs; their pages have names of their own."""
    found = []
    for each in (resolver or get_resolver()).url_patterns:
        where = before + str(each.pattern)
        if isinstance(each, URLResolver):
            inner = f"{space}{each.namespace}:" if each.namespace else space
            found += routes(each, where, inner)
        elif each.name and space + each.name not in NO_PAGES and _is_for_people(where, each.name):
            groups, named = each.pattern.regex.groups, each.pattern.regex.groupindex
            found.append(Route(space + each.name, tuple(named) or ("",) * groups))
    return found


def _is_for_people(where: str, name: str) -> bool:
    return not where.startswith(("api/", "v1/")) or name in ("docs", "redoc")


NO_PAGES = {
    "calendar": "answers a calendar's secret address with a file",
    "admin:autocomplete": "answers a select's search as JSON, and asks which select",
    "admin:view_on_site": "leads from a row to its page outside of the admin, which no row has",
    "admin:search": "answers the menu's search with a piece of a page",
}
"""Named routes that are no page although nothing in their answer says so."""


def is_page(answer: HttpResponse) -> bool:
    return answer.status_code == 200 and answer.content.lstrip()[:9].upper() == b"<!DOCTYPE"


def is_none(answer: HttpResponse) -> bool:
    """Say whether an answer is of no page: what nobody may, what is only done, data, or a piece."""
    return answer.status_code in (200, 403, 405) and not is_page(answer)


FOR_STRANGERS = "admin:login"
"""The page that nobody sees who has signed in."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as it was answered."""

    address: str
    answer: HttpResponse

    @property
    def html(self) -> str:
        return self.answer.content.decode()


def pages(boss: Client) -> list[Shown]:
    """Return a page of each route that has one, and more; ``boss`` may do everything.

    Raises AssertionError for a route of which the world has no row that shows it.
    """
    found, unseen = list[Shown](), list[str]()
    for route in routes():
        answers = list[HttpResponse]()
        for address in route.addresses():
            answer = (Client() if route.name == FOR_STRANGERS else boss).get(address)
            if is_page(answer):
                found.append(Shown(address, answer))
            if is_page(answer) or is_none(answer):
                break
            answers.append(answer)
        else:
            unseen.append(f"{route.name}: {[answer.status_code for answer in answers]}")
    assert unseen == []
    known = {each.address for each in found}
    more = [address for address in dict.fromkeys(_more_pages()) if address not in known]
    return [*found, *(Shown(address, boss.get(address)) for address in more)]


def _more_pages() -> list[str]:
    """Return what pages of a route show when they are asked for more."""
    record = UpgradeRecord.objects.filter(state="recommended").earliest("pk")
    moved = UpgradeRecord.objects.filter(state="completed").latest("pk")
    compare = reverse("admin:versioning_modelversion_compare")
    return [
        f"{compare}?from={record.from_version_id}&to={record.to_version_id}",
        reverse("admin:versioning_modelversion_best") + "?task=sums",
        *(
            reverse(f"admin:versioning_upgraderecord_{page}", args=[each.pk])
            for page in ("change", "evidence")
            for each in (record, moved)
        ),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]) + SETTINGS,
        reverse("admin:versioning_modelversion_change", args=[record.to_version_id]) + SETTINGS,
    ]


SETTINGS = "?settings=1"
"""The tab of a page that is read first, on which its row is changed."""
