"""The three journeys through the services enter the rooms that docs/architecture.md names."""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import CodeType, FrameType

import pytest

from providers.base import ListedModel, Listing
from tests.factories import NOW, UpgradeRecordFactory, tracked
from versioning.models import EvaluationSuite, PerformanceSample, Policy, Trial, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.checks import detection, recording
from versioning.services.evaluation import suites
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions

ROOT = Path(__file__).parent.parent
SERVICES = ROOT / "versioning/services"

pytestmark = pytest.mark.django_db


Act = Callable[[], object]


def sample() -> Act:
    model = tracked()
    item = SampleIn(provider=model.provider.slug, model=model.name, quality=0.9, request_id="one")
    return lambda: ingestion.accept([item], api_key_id=None, now=NOW)


def listing() -> Act:
    tracked(upstream_id="zeta-1")
    (check,) = detection.begin_checks(provider_slugs=None, trigger="command", now=NOW)
    found = Listing((ListedModel(id="zeta-1"), ListedModel(id="zeta-2")))
    attempt = recording.Attempt(result=found, took=timedelta(seconds=1))
    return lambda: recording.record(check=check, asked=attempt, now=NOW)


def approval() -> Act:
    record = UpgradeRecordFactory(tracked_model=tracked(name="zeta", upstream_id="zeta-1"))
    suite = EvaluationSuite.objects.create(
        name="sums", scorers=["number"], max_tokens=20, budget_tokens=1_000
    )
    case = json.dumps({"prompt": "What is 1 + 4?", "expected": "5"}).encode()
    suites.import_cases(suite=suite, read=suites.read_file(suite=suite, content=case, form="jsonl"))
    Policy.objects.create(required_suites=["sums"])
    return lambda: decisions.approve(
        record_id=record.pk, actor=Actor.command(), now=NOW, reason="As good as tested."
    )


@pytest.mark.parametrize("journey", [sample, listing, approval], ids=lambda each: each.__name__)
def test_a_journey_enters_the_rooms_that_the_guide_names(journey: Callable[[], Act]) -> None:
    act, entered = journey(), set[str]()
    with entering(entered):
        act()

    assert sorted(entered) == sorted(named(journey.__name__))
    assert {"sample": PerformanceSample, "listing": UpgradeRecord, "approval": Trial}[
        journey.__name__
    ].objects.exists()


def named(journey: str) -> list[str]:
    """Return the rooms of the services that the guide names for a journey."""
    guide = (ROOT / "docs/architecture.md").read_text()
    row = re.search(rf"^\| {journey} \| (.*?) \|$", guide, re.MULTILINE)
    assert row is not None, journey
    return [
        f"{folder}/{room}"
        for folder, rooms in re.findall(r"(\w+): ([\w, ]+)", row[1])
        for room in rooms.split(", ")
    ]


@contextmanager
def entering(rooms: set[str]) -> Iterator[None]:
    """Note which modules in folders of the services are called."""
    places: dict[CodeType, str] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code not in places:
            path = Path(code.co_filename)
            is_room = path.is_relative_to(SERVICES) and code.co_name != "<module>"
            places[code] = str(path.relative_to(SERVICES).with_suffix("")) if is_room else ""

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    rooms.update(place for place in places.values() if "/" in place)
