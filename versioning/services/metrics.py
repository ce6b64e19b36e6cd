"""What is told to those who watch Hotswap: read from the database when they ask, by no process's
own count.

So any web process says the same, however many there are, and a worker needs no door of its own.
Counters come from ``Tally``; the number of queries is the same however much there is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from shutil import disk_usage
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, OuterRef, Q, Subquery, Sum
from django_celery_beat.models import PeriodicTask
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from providers.models import Provider
from versioning.domain.transitions import State
from versioning.models import (
    Canary,
    Check,
    ModelVersion,
    Notice,
    RollupPart,
    Tally,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import clock, clock_notices, outbox
from versioning.services.samples.ingestion import ACCEPTED, DUPLICATE
from versioning.services.samples.removal import TAKEN_BACK

GOOD = (Check.State.CHANGED, Check.State.UNCHANGED, Check.State.PARTLY)
FOLDING = "Sums of samples"
"""The stage of a task that folds; see ``tasks.fold_samples``."""

URGENCY = {"week": 7, "month": 30, "quarter": 90}
"""Days until the version in use retires, at most, for each word of urgency."""

Sample = tuple[Sequence[str], float]


class Watched:
    """A registry for prometheus_client's writers: it collects when it is asked."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, those without a sample too: so their names are always there."""
        now = self._now
        yield gauge(
            "hotswap_build_info", "The release that answers.", [((_version(),), 1)], "version"
        )
        yield from _checks()
        yield from _decisions(today=clock.local_day(now))
        yield from _courses()
        yield from _outbox(now=now)
        yield from _counted(now=now)
        yield from _own_work()


def gauge(name: str, about: str, samples: Iterable[Sample], *labels: str) -> Metric:
    """Return a gauge with its samples: the values of its labels, and its value."""
    found = GaugeMetricFamily(name, about, labels=labels)
    for values, value in samples:
        found.add_metric(values, value)
    return found


def counter(name: str, about: str, samples: Iterable[Sample], *labels: str) -> Metric:
    """Return a counter with its samples; ``name`` ends with _total."""
    found = CounterMetricFamily(name, about, labels=labels)
    for values, value in samples:
        found.add_metric(values, value)
    return found


def _checks() -> Iterator[Metric]:
    good = Check.objects.filter(provider=OuterRef("pk"), state__in=GOOD)
    newest = good.order_by("-started_at").values("started_at")[:1]
    asked = Provider.objects.filter(enabled=True).annotate(good=Subquery(newest)).order_by("slug")
    yield gauge(
        "hotswap_last_good_check_timestamp_seconds",
        "When the last check of an enabled provider that could be read began; 0: never yet.",
        (((slug,), _seconds(at)) for slug, at in asked.values_list("slug", "good")),
        "provider",
    )


def _decisions(*, today: date) -> Iterator[Metric]:
    waiting = UpgradeRecord.objects.recommended().aggregate(**_by_urgency(today))
    yield gauge(
        "hotswap_waiting_decisions",
        "Recommendations that wait, by when the version in use retires: overdue, within a week, "
        "a month or a quarter, later, or none announced.",
        (((urgency,), waiting[urgency]) for urgency in waiting),
        "urgency",
    )
    used = ModelVersion.objects.in_use().with_retirement().filter(tracked_model__active=True)
    next_one = used.filter(retires_on__gte=today).aggregate(on=Min("retires_on"))["on"]
    yield gauge(
        "hotswap_next_retirement_timestamp_seconds",
        "When the day begins on which the next version in use retires; absent where none is known.",
        [] if next_one is None else [((), _seconds(clock.start_of(next_one)))],
    )


def _by_urgency(today: date) -> Mapping[str, Count]:
    """Return what counts each urgency, each recommendation in one of them alone."""
    after, found = today, {"overdue": Q(urgent_on__lt=today)}
    for word, days in URGENCY.items():
        until = today + timedelta(days=days + 1)
        found[word] = Q(urgent_on__gte=after, urgent_on__lt=until)
        after = until
    found |= {"later": Q(urgent_on__gte=after), "none": Q(urgent_on=None)}
    return {word: Count("pk", filter=which) for word, which in found.items()}


def _courses() -> Iterator[Metric]:
    under_way = UpgradeRecord.objects.under_way().order_by().values_list("state")
    found = dict.fromkeys((State.APPROVED, State.TESTING, State.CANARY), 0)
    found |= {State(state): n for state, n in under_way.annotate(Count("pk"))}
    yield gauge(
        "hotswap_upgrades_under_way",
        "Upgrades that were approved and have not ended, by state.",
        (((state.value,), n) for state, n in found.items()),
        "state",
    )
    canaries = Canary.objects.filter(record__state=State.CANARY.value)
    paused = canaries.exclude(paused_at=None).aggregate(n=Count("pk"))["n"]
    yield gauge(
        "hotswap_canaries",
        "Canaries under way, by whether they go on by themselves.",
        [(("running",), found[State.CANARY] - paused), (("paused",), paused)],
        "state",
    )
    yield gauge(
        "hotswap_tracked_models",
        "Tracked models that checks look after.",
        [((), TrackedModel.objects.active().count())],
    )
    notices = Notice.objects.open().order_by().values_list("kind").annotate(Count("pk"))
    yield gauge(
        "hotswap_open_notices",
        "Notices that nobody has resolved, by kind.",
        (((kind,), n) for kind, n in notices),
        "kind",
    )


def _outbox(*, now: datetime) -> Iterator[Metric]:
    found = outbox.backlog(now=now)
    yield gauge("hotswap_outbox_pending", "Deliveries that wait.", [((), found.pending)])
    yield gauge(
        "hotswap_outbox_oldest_timestamp_seconds",
        "When the oldest event happened that waits to be delivered; absent where none waits.",
        [((), _seconds(found.oldest_at))] if found.oldest_at else [],
    )
    yield gauge("hotswap_outbox_given_up", "Deliveries given up lately.", [((), found.dead)])


def _counted(*, now: datetime) -> Iterator[Metric]:
    counted: dict[Tally.Kind, list[dict[str, Any]]] = {kind: [] for kind in Tally.Kind}
    rows = Tally.objects.values("kind", "subject", "result").order_by("kind", "subject", "result")
    for row in rows.annotate(n=Sum("times"), took=Sum("seconds"), last=Max("last_at")):
        counted[Tally.Kind(row["kind"])].append(dict(row))
    yield from _counted_checks(counted[Tally.Kind.CHECK])
    yield counter(
        "hotswap_upgrades_total",
        "How often an upgrade came to a state: recommended, completed, rolled_back and so on.",
        (((row["result"],), row["n"]) for row in counted[Tally.Kind.MOVE]),
        "state",
    )
    taken = {ACCEPTED: 0, DUPLICATE: 0, TAKEN_BACK: 0}
    taken |= {row["result"]: row["n"] for row in counted[Tally.Kind.SAMPLE]}
    yield counter(
        "hotswap_samples_total",
        "Samples taken in (accepted), there already (duplicate), or of a wrapper (taken_back).",
        (((result,), taken.pop(result)) for result in (ACCEPTED, DUPLICATE, TAKEN_BACK)),
        "result",
    )
    yield counter(
        "hotswap_rejected_samples_total",
        "Samples that could not be used, by the code that their sender was told.",
        (((reason,), n) for reason, n in taken.items()),
        "reason",
    )
    yield from _counted_stages(counted[Tally.Kind.STAGE])
    yield _fold_lag(counted[Tally.Kind.STAGE], now=now)


def _counted_checks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    yield counter(
        "hotswap_checks_total",
        "Checks that ended, by provider and result: changed, unchanged, partly, or why it failed.",
        (((row["subject"], row["result"]), row["n"]) for row in rows),
        "provider",
        "result",
    )
    yield counter(
        "hotswap_check_seconds_total",
        "How long providers took to answer checks.",
        (((row["subject"], row["result"]), row["took"]) for row in rows),
        "provider",
        "result",
    )


def _counted_stages(rows: Sequence[Mapping[str, Any]]) -> Iterator[Metric]:
    about = "of the stages of tasks, by result: done or failed."
    labels = "stage", "result"
    yield counter(
        "hotswap_stages_total",
        f"Runs {about}",
        (((row["subject"], row["result"]), row["n"]) for row in rows),
        *labels,
    )
    yield counter(
        "hotswap_stage_seconds_total",
        f"Time {about}",
        (((row["subject"], row["result"]), row["took"]) for row in rows),
        *labels,
    )
    yield gauge(
        "hotswap_last_stage_timestamp_seconds",
        f"The last run {about}",
        (((row["subject"], row["result"]), _seconds(row["last"])) for row in rows),
        *labels,
    )


def _fold_lag(stages: Sequence[Mapping[str, Any]], *, now: datetime) -> Metric:
    """Return how far sums are behind: a part waits since the last run at the earliest."""
    lag: float | None = 0.0
    if RollupPart.objects.exists():
        done = [r["last"] for r in stages if (r["subject"], r["result"]) == (FOLDING, "done")]
        lag = max(0.0, (now - done[0]).total_seconds()) if done else None
    return gauge(
        "hotswap_fold_lag_seconds",
        "How far the sums of samples may be behind: since the last run that added up, while some "
        "wait; absent where none ever ran.",
        [] if lag is None else [((), lag)],
    )


def _own_work() -> Iterator[Metric]:
    beat = PeriodicTask.objects.aggregate(last=Max("last_run_at"))["last"]
    yield gauge(
        "hotswap_last_beat_timestamp_seconds",
        "When the scheduler last began something, as it writes down every three minutes; 0: never.",
        [((), _seconds(beat))],
    )
    yield gauge(
        "hotswap_clocks_off",
        "Machines whose clock staff are told is off, the database's server among them.",
        [((), clock_notices.open_ones().count())],
    )
    disk = disk_usage(settings.DATA_DIR)
    yield gauge(
        "hotswap_data_free_bytes",
        "Free where the data folder is, on the machine that answers.",
        [((), disk.free)],
    )
    yield gauge(
        "hotswap_data_size_bytes", "Size of the disk where the data folder is.", [((), disk.total)]
    )


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _version() -> str:
    return str(settings.HOTSWAP["VERSION"])
