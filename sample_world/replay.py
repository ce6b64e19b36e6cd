"""Replay the sample world, day by day, through the same services as the real one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F

from providers.http.guard import nobody_waits
from providers.models import Provider
from sample_world import set_up, story
from sample_world.simulator import Simulator
from sample_world.traffic import Flow, requests
from versioning.domain.transitions import State
from versioning.models import Canary, Check, ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import clock, keys, providers, tracking
from versioning.services.actors import Actor
from versioning.services.checks import detection
from versioning.services.errors import Invalid
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions

SAYS_SOMETHING_EVERY = 4  # days
SCOPES = ("read", "ingest", "decide")


def move(provider: Provider, *, to: str) -> None:
    """Give a provider another address, and its key leave to go there."""
    provider.base_url = to
    provider.release_key()
    provider.save(update_fields=["base_url", "key_released_to"])


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a person needs to know of a world just made. ``key`` is shown this once."""

    samples: int
    key: str


@nobody_waits()
@transaction.atomic
def seed(*, now: datetime, say: Callable[[str], None]) -> Seeded:
    """Make the sample world, all or nothing, its last day being today.

    ``say`` hears how far it is. Raises Invalid where the database holds providers already.
    """
    if Provider.objects.exists():
        raise Invalid("The database is in use: the sample world goes into an empty one only.")
    _make_staff()
    new_key = keys.create_api_key(
        name="Sample applications", scopes=SCOPES, now=now, actor=Actor.command()
    )
    start = clock.utc_day(now) - timedelta(days=story.LAST_DAY)
    with Simulator(start=start, page_size=100) as simulator:
        _add_providers(simulator)
        replay = Replay(simulator=simulator, now=now, api_key_id=new_key.api_key.pk)
        for day in range(story.LAST_DAY + 1):
            replay.run_day(day)
            if day % SAYS_SOMETHING_EVERY == 0 and day:
                say(f"  day {day} of {story.LAST_DAY}")
        set_up.tell_of_today(now=now, api_key_id=new_key.api_key.pk)
    return Seeded(samples=replay.samples, key=new_key.secret)


@dataclass(frozen=True, slots=True)
class Hours:
    """When the requests of a day come."""

    begins: datetime
    ends: datetime


class Replay:
    """The days of the sample world."""

    def __init__(self, *, simulator: Simulator, now: datetime, api_key_id: int) -> None:
        self.simulator = simulator
        self.now = now
        self.api_key_id = api_key_id
        self.samples = 0

    def run_day(self, day: int) -> None:
        """A check in the night, in the morning what staff do, requests all day."""
        self.simulator.set_day(day)
        self._check(day)
        self._start_tracking(day)
        set_up.on_day(day, now=self.moment(day, 9))
        for decision in story.DECISIONS:
            if decision.day == day:
                self._decide(decision)
        self.simulator.set_day(day + (day == story.TAKEN_OFF_DAY))
        set_up.carry_on(day, now=self.moment(day, 11))
        self.simulator.set_day(day)
        self._take_samples(day)

    def moment(self, day: int, hour: int) -> datetime:
        """Return an hour of the day (UTC), or on every day the time that it is now, if earlier.

        So the days lie whole days apart at whatever time the world is made.
        """
        at = min(time(hour), self.now.astimezone(UTC).time())
        return datetime.combine(self.simulator.world.date_of(day), at, tzinfo=UTC)

    def _check(self, day: int) -> None:
        asked = [provider.slug for provider in story.PROVIDERS if self._is_asked(provider, day)]
        outages = [outage for outage in story.OUTAGES if outage.day == day]
        for outage in outages:
            self.simulator.fail(outage.provider, outage.mode)
        if day == story.LAST_DAY:
            move(Provider.objects.get(slug=story.BROKEN_TODAY), to=story.DEAD_ADDRESS)
        moment = self.moment(day, settings.HOTSWAP["CHECK_HOUR"])
        checks = detection.run_checks(
            provider_slugs=asked, trigger=Check.Trigger.SCHEDULE, now=moment
        )
        for outage in outages:
            self.simulator.heal(outage.provider)
        # A check ends by the real clock, which is weeks after the day that is replayed.
        Check.objects.filter(pk__in=[check.pk for check in checks]).update(
            finished_at=F("started_at") + timedelta(milliseconds=340)
        )

    def _is_asked(self, provider: story.DemoProvider, day: int) -> bool:
        """Say whether a provider is checked that night: each night of late, before where it tells.

        A newcomer waits for the replay, and weeks of lists that stay as they are show nothing.
        """
        if not 0 < day < story.EVERY_NIGHT_FROM or any(
            (outage.day, outage.provider) == (day, provider.slug) for outage in story.OUTAGES
        ):
            return True
        world = self.simulator.world
        nights = range(max(day - story.NEWS_IS_ASKED_FOR, 0), day)
        return any(
            world.listed(provider.kind, night) != world.listed(provider.kind, night + 1)
            for night in nights
        )

    def _start_tracking(self, day: int) -> None:
        moment = self.moment(day, 9)
        for model in story.MODELS:
            if model.since != day:
                continue
            tracked = tracking.start_tracking(
                provider_id=Provider.objects.get(slug=model.provider).pk,
                name=model.name,
                upstream_id=model.upstream_id,
                owner=model.owner,
                actor=_actor("ada"),
                now=moment,
            )
            tracked.notes = model.notes
            tracked.save(update_fields=["notes"])

    def _decide(self, decision: story.Decision) -> None:
        now, actor = self.moment(decision.day, 10), _actor(decision.who)
        tracked = TrackedModel.objects.named(provider=decision.provider, name=decision.model).get()
        if decision.verb == "roll back":
            decisions.roll_back(
                tracked_model_id=tracked.pk, actor=actor, now=now, reason=decision.reason
            )
            return
        record = _waiting(tracked)
        if record is None:
            raise Invalid(f"The sample world has no recommendation for {tracked} to decide on.")
        if decision.verb == "approve":
            decisions.approve(record_id=record.pk, actor=actor, now=now, reason=decision.reason)
        elif decision.verb == "reject":
            decisions.reject(
                record_id=record.pk,
                actor=actor,
                now=now,
                reason=decision.reason,
                wake=decision.wake,
            )
        else:
            until = now + timedelta(days=decision.wake_day - decision.day)
            decisions.snooze(
                record_id=record.pk, actor=actor, now=now, until=until, reason=decision.reason
            )

    def _take_samples(self, day: int) -> None:
        """Requests of office hours, trials among them: so both versions meet the same requests.

        Those of earlier days come within one hour: each hour of each flow is a sum of its own,
        which all days to come would read and add up.
        """
        office = self._hours(day, 8, 18 if day >= story.WHOLE_DAYS_FROM else 9)
        samples = [
            sample
            for flow in self._flows(day)
            for sample in requests(flow, begins=office.begins, ends=office.ends)
        ]
        if day == story.LAST_DAY:
            samples.append(_scored_later(office))
        accepted = ingestion.accept(
            samples, api_key_id=self.api_key_id, now=min(self.now, office.ends)
        )
        self.samples += accepted.accepted

    def _hours(self, day: int, first: int, last: int) -> Hours:
        """Return the hours of a day, of the last one what has come of them, an hour at least.

        All requests of a day come in them, so that the world is the same at whatever time it is
        made.
        """
        midnight = datetime.combine(self.simulator.world.date_of(day), time(), tzinfo=UTC)
        ends = min(midnight + timedelta(hours=last), self.now)
        begins = min(midnight + timedelta(hours=first), ends - timedelta(hours=1))
        return Hours(begins=begins, ends=ends)

    def _flows(self, day: int) -> Iterator[Flow]:
        trials = {(t.provider, t.model): t for t in story.TRIALS if t.day <= day}
        in_use = {
            (tracked.provider.slug, tracked.name): tracked
            for tracked in TrackedModel.objects.select_related("provider", "current_version")
        }
        under_way = Canary.objects.filter(record__state=State.CANARY.value)
        canaries = {
            canary.record.tracked_model_id: canary
            for canary in under_way.select_related("record__to_version")
        }
        newest = {
            record.tracked_model_id: record
            for record in UpgradeRecord.objects.waiting().with_versions().order_by("pk")
        }
        for model in story.MODELS:
            if model.since > day:
                continue
            tracked = in_use[model.provider, model.name]
            assert tracked.current_version is not None  # noqa: S101
            canary = canaries.get(tracked.pk)
            if canary is not None:
                weight = float(canary.weight) if model.split is None else model.split
                for version, part in (
                    (tracked.current_version, 1 - weight),
                    (canary.record.to_version, weight),
                ):
                    yield from self._flows_to(model, version, day=day, share=part)
                continue
            yield from self._flows_to(model, tracked.current_version, day=day)
            trial, record = trials.get((model.provider, model.name)), newest.get(tracked.pk)
            if trial and record:
                yield from self._flows_to(model, record.to_version, day=day, trial=trial)

        for model in story.UNTRACKED:
            yield from self._untracked_flows(model, day=day)

    def _untracked_flows(self, model: story.DemoModel, *, day: int) -> Iterator[Flow]:
        for task, count in model.requests.items():
            yield Flow(
                provider=model.provider,
                model="",
                upstream_id=model.upstream_id,
                task=task,
                nth=day,
                count=count,
                quality=self.simulator.quality(_kind_of(model.provider), model.upstream_id, task),
                latency_ms=model.latency_ms,
                input_price=None,
                output_price=None,
            )

    def _flows_to(
        self,
        model: story.DemoModel,
        version: ModelVersion,
        *,
        day: int,
        share: float = 1,
        trial: story.Trial | None = None,
    ) -> Iterator[Flow]:
        kind = _kind_of(model.provider)
        served = self.simulator.models(kind)
        if version.upstream_id not in {
            served_id for each in served for served_id in (each.id, *each.aliases)
        }:
            return  # nobody answers any more
        for task, count in model.requests.items():
            yield Flow(
                provider=model.provider,
                model=model.name,
                upstream_id=version.upstream_id,
                task=task,
                nth=day,
                count=round((trial.requests if trial else count) * share),
                quality=self.simulator.quality(kind, version.upstream_id, task),
                latency_ms=model.latency_ms * (0.95 if trial else 1),
                input_price=version.input_price,
                output_price=version.output_price,
                is_trial=trial is not None,
                served_id=model.served_id if day >= story.SERVED_OTHERWISE else "",
                languages=model.languages,
            )


def _scored_later(hours: Hours) -> SampleIn:
    """Return a request that nobody has judged yet; its thumb comes later."""
    return SampleIn(
        provider="openai",
        model="gpt-4o",
        upstream_id="gpt-4o-2024-08-06",
        task="rated",
        latency_ms=900.0,
        request_id=set_up.LATE_REQUEST,
        time=hours.begins,
    )


def _kind_of(slug: str) -> str:
    return next(provider.kind for provider in story.PROVIDERS if provider.slug == slug)


def _waiting(tracked: TrackedModel) -> UpgradeRecord | None:
    waiting = UpgradeRecord.objects.waiting().filter(tracked_model=tracked)
    return waiting.select_related("to_version").order_by("-pk").first()


def _actor(username: str) -> Actor:
    return Actor.of_user(get_user_model().objects.get(username=username))


def _make_staff() -> None:
    users = get_user_model().objects
    if not users.filter(username=story.USER).exists():
        users.create_superuser(story.USER, password=story.PASSWORD)
    reviewers = Group.objects.filter(name="reviewer")
    for username, name in story.STAFF.items():
        first, _, last = name.partition(" ")
        user, _ = users.get_or_create(
            username=username, defaults={"first_name": first, "last_name": last, "is_staff": True}
        )
        user.groups.add(*reviewers)


def _add_providers(simulator: Simulator) -> None:
    for provider in story.PROVIDERS:
        providers.add(
            slug=provider.slug,
            kind=provider.kind,
            base_url=simulator.base_url(provider.kind),
            api_key_env=story.KEY_VARIABLE if provider.needs_key else "",
            name=provider.name,
            options=provider.options,
            actor=Actor.command(),
        )
