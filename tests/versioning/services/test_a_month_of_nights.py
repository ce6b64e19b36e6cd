"""A month of nights by the scheduler's own task: whatever is listed, the laws hold each day."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from providers.models import Provider
from tests.factories import ProviderFactory
from tests.machine.laws import Laws
from tests.providers.conftest import ScriptedServer, answer, serve
from versioning import tasks
from versioning.models import Check, Finding, ModelVersion, Notice, TrackedModel
from versioning.services import serving, tracking
from versioning.services.actors import Actor
from versioning.services.checks import schedules

pytestmark = pytest.mark.django_db

NIGHTS = 29
SETTLED = ("zeta-1", "iota-1-mini", "kappa-3", "other-1", "other-2", "other-3")
LEAVES, ON_NIGHT, COMES = "iota-1-mini", 12, "iota-2-mini"
COMPLETE = {"changed", "unchanged"}
BELIEVED_OR_NOT = {"", "nonsense"}
"""A list that lost most of what it had isn't believed at once, and an empty one never."""


SKIPPED = ("America/New_York", date(2027, 3, 14))
"""There is no two o'clock on this day: it is asked when there would have been."""


class World:
    """Three providers behind one server: who serves models, who knows dates, who knows facts."""

    def __init__(self, dice: Random, first: date) -> None:
        self.dice = dice
        self.first = first
        self.listed: list[str] = []
        self.bodies: dict[str, Any] = {}
        self.is_down = False

    def turn(self, night: int) -> None:
        """Decide what is said this night."""
        dice = self.dice
        self.is_down = dice.random() < 0.1
        here = {id for id in SETTLED if id != LEAVES or night < ON_NIGHT}
        here |= {COMES} if night >= 8 else set()
        flickers = {id for id in here if dice.random() < 0.08}
        self.listed = sorted(here - flickers)
        rows: list[Any] = [{"id": id, **self.facts()} for id in self.listed]
        rows += [self.unread(night)] * dice.choice((0, 1, 1, 2))
        dice.shuffle(rows)
        dated = [
            {"provider": "openai", "id": id, "source": "https://dates.example", **self.dates()}
            for id in SETTLED
            if dice.random() < 0.5
        ]
        models = {
            id: {"id": id, "status": dice.choice(("", "", "beta", "deprecated")), **self.release()}
            for id in (*SETTLED, COMES)
            if dice.random() < 0.7
        }
        self.bodies = {
            "/models": {"data": rows},
            "/dates": {"retirements": dated},
            "/api.json": {"openai": {"models": models}},
        }

    def facts(self) -> dict[str, Any]:
        dice = self.dice
        odd: dict[str, Any] = {}
        if dice.random() < 0.4:
            odd["shutdown_date"] = dice.choice((self.day(), self.day(), None, "soon", 7))
        if dice.random() < 0.4:
            odd["created"] = dice.choice((1_750_000_000, int(datetime.now(UTC).timestamp()), "x"))
        if dice.random() < 0.3:
            odd["context_length"] = dice.choice((8_000, 128_000, -1, "many", 10**18))
        if dice.random() < 0.3:
            odd["pricing"] = {"prompt": dice.choice(("0.000001", "1", "-1", "free", "1e-30"))}
        return odd

    def dates(self) -> dict[str, Any]:
        return {"retires_on": self.day(), "deprecated_on": self.dice.choice((None, self.day()))}

    def release(self) -> dict[str, Any]:
        return {"release_date": self.dice.choice((self.day(), "2024-05", "2024", "")), "limit": {}}

    def day(self) -> str:
        return (self.first + timedelta(days=self.dice.randint(-40, 400))).isoformat()

    def unread(self, night: int) -> Any:
        return self.dice.choice((7, None, {"name": "no id"}, {"id": ""}, {"id": f"x\0{night}"}))

    def answers(self, handler: Any) -> None:
        path = handler.path.partition("?")[0]
        if self.is_down:
            answer({"error": "down"}, 500)(handler)
        elif path in self.bodies:
            answer(json.dumps(self.bodies[path]).encode())(handler)
        else:
            known = path.removeprefix("/models/") in self.listed
            answer({"id": path} if known else {"error": "no such model"}, 200 if known else 404)(
                handler
            )


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    yield from serve()


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Prague", date(2026, 10, 10)),
        pytest.param("America/New_York", date(2027, 2, 25), marks=pytest.mark.slow),
    ],
)
def test_whatever_is_listed_the_laws_hold_each_day(
    server: ScriptedServer, settings: Any, zone: str, first: date
) -> None:
    settings.TIME_ZONE = zone
    local = ZoneInfo(zone)
    world = World(Random(zone), first)
    server.script = world.answers
    now = datetime(first.year, first.month, first.day, 12, tzinfo=local).astimezone(UTC)
    with time_machine.travel(now, tick=False):
        schedules.install_schedules()
        world.turn(0)
        world.is_down = False
        models = ProviderFactory(slug="acme", kind="openai", base_url=server.url)
        ProviderFactory(slug="dates", kind="retirements", base_url=f"{server.url}/dates")
        ProviderFactory(slug="facts", kind="modelsdev", base_url=server.url)
        Provider.objects.update(created_at=now)
        tasks.check_providers(trigger="command")
        for id in ("zeta-1", LEAVES, "kappa-3"):
            tracking.start_tracking(
                provider_id=models.pk, name=id, upstream_id=id, actor=Actor.command(), now=now
            )
    laws = Laws()
    laws.look(held=laws.what_holds(freezes=(), now=now), checked=True)
    for night in range(1, NIGHTS + 1):
        held = laws.what_holds(freezes=(), now=now)
        world.turn(night)
        asked = set(Check.objects.values_list("pk", flat=True))
        for _ in range(24):  # until the next noon, each hour
            now += timedelta(hours=1)
            if now.astimezone(local).hour < 5:
                with time_machine.travel(now, tick=False):
                    tasks.check_due_providers()
        new = list(Check.objects.exclude(pk__in=asked).select_related("provider"))
        day = first + timedelta(days=night)
        good = [check for check in new if check.error_kind in BELIEVED_OR_NOT]
        if not world.is_down:
            assert sorted(check.provider.slug for check in new) == ["acme", "dates", "facts"], day
            assert len(good) == 3, [(check.provider.slug, check.error) for check in new]
            began = {check.started_at.astimezone(local).strftime("%d %H:%M") for check in new}
            assert began == {f"{day:%d} {'03' if (zone, day) == SKIPPED else '02'}:00"}
        else:
            assert not good
        complete = [c for c in good if c.provider.slug == "acme" and c.state in COMPLETE]
        if complete:
            laws.note_listing(world.listed, released=(*SETTLED, COMES), now=complete[0].started_at)
        laws.look(held=held, checked=bool(complete))
        for version in ModelVersion.objects.all():
            version.full_clean(exclude=["tracked_model"])
        for model in TrackedModel.objects.select_related("current_version"):
            served = serving.current(provider="acme", name=model.name, now=now)
            assert served.version.upstream_id == model.name, "nobody decided to move"
    assert not Finding.objects.filter(kind="not_kept").exists()
    assert Notice.objects.open().count() < 20, [n.sentence for n in Notice.objects.open()]
    gone = set(ModelVersion.objects.exclude(gone_at=None).values_list("upstream_id", flat=True))
    assert gone == {LEAVES}
