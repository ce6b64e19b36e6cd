"""Staff learn whose clock is off, and that it is right again."""

import datetime as dt
from socket import gethostname
from typing import Any

import pytest
from django.test import Client

from providers.conversation import DatedAnswer
from sample_world.simulator import Simulator
from tests.factories import NOW, ProviderFactory
from versioning.models import Notice
from versioning.services import clock, clock_notices, sweeps
from versioning.services.checks import detection

pytestmark = pytest.mark.django_db

OURS = f"Clock of {gethostname()}"


@pytest.fixture
def ahead(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How many seconds this machine's clock is ahead of the database server's."""
    off = {"s": 0.0}
    settings.HOTSWAP = {**settings.HOTSWAP, "CLOCK_OF_DATABASE": True}
    monkeypatch.setattr(clock, "ahead", lambda: dt.timedelta(seconds=off["s"]))
    monkeypatch.setattr(clock_notices, "_was_off", None)
    return off


def told() -> list[tuple[str, str]]:
    return list(clock_notices.open_ones().values_list("subject", "sentence"))


@pytest.mark.parametrize(("seconds", "words"), [(120, "120 s ahead of"), (-120, "120 s behind")])
def test_each_task_looks_and_tells_once_until_it_is_right(
    ahead: dict[str, float], seconds: float, words: str
) -> None:
    ahead["s"] = seconds
    for _ in range(3):
        sweeps.in_turn(("A stage", lambda: 0), now=NOW)
    ((subject, sentence),) = told()
    assert subject == OURS
    assert words in sentence
    assert Notice.objects.get().times == 1

    ahead["s"] = 2
    sweeps.in_turn(("A stage", lambda: 0), now=NOW)
    assert told() == []


@pytest.mark.usefixtures("ahead")
def test_a_process_that_starts_closes_what_an_earlier_one_told() -> None:
    clock_notices.notices.raise_fault(subject=OURS, sentence="Off.", now=NOW)
    clock_notices.note_own_clock(now=NOW)
    assert told() == []


def test_web_looks_when_it_is_asked_whether_it_is_ready(
    ahead: dict[str, float], admin_client: Client
) -> None:
    ahead["s"] = 300
    assert admin_client.get("/readyz").json()["clocks_off"] == [OURS]
    assert b"hotswap_clocks_off 1.0" in admin_client.get("/metrics").content
    ahead["s"] = 0
    assert admin_client.get("/readyz").json()["clocks_off"] == []
    assert b"hotswap_clocks_off 0.0" in admin_client.get("/metrics").content


def answers(*said_s: float) -> list[DatedAnswer]:
    """Answers of as many hosts, each by a clock that is so many seconds after ours."""
    received = NOW + dt.timedelta(seconds=2)
    return [
        DatedAnswer(f"{number}.example.com", NOW, received, NOW + dt.timedelta(seconds=each))
        for number, each in enumerate(said_s)
    ]


@pytest.mark.parametrize(
    ("said_s", "words"),
    [
        ([], ""),
        ([0], ""),
        ([-15], ""),  # ours may be 14 s ahead: a Date has no parts of a second
        ([16], ""),  # or 14 s behind: it was on the way for two
        ([-120], "119 s ahead of that of 0.example.com"),
        ([122, 200], "120 s behind that of 0.example.com, 1.example.com"),
        ([122, 1], ""),  # one that agrees is no coincidence
    ],
)
def test_answers_to_a_check_tell_of_the_clock_that_all_go_by(
    said_s: list[float], words: str
) -> None:
    clock_notices.compare(answers(*said_s), now=NOW)
    assert [words in sentence for _, sentence in told()] == ([True] if words else [])

    clock_notices.compare(answers(0), now=NOW)
    assert told() == []


def test_the_database_servers_clock_is_told_as_such(ahead: dict[str, float]) -> None:
    ahead["s"] = 120  # and they agree with this machine's
    clock_notices.compare(answers(0), now=NOW)
    assert [subject for subject, _ in told()] == ["Clock of the database server"]


def test_a_check_reads_the_date_of_the_answer(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[DatedAnswer] = []
    monkeypatch.setattr(clock_notices, "compare", lambda found, now: seen.extend(found))
    provider = ProviderFactory(kind="openrouter", base_url=simulator.base_url("openrouter"))
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101")
    detection.run_checks(provider_slugs=[provider.slug], trigger="command", now=NOW)
    (answer,) = seen
    assert answer.sent <= answer.received
    assert abs(answer.said - answer.received) < dt.timedelta(seconds=30)
