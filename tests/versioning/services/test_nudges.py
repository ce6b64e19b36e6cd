"""Without a queue nobody waits for it: what is to be done is found by the next sweep."""

from collections.abc import Callable
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from versioning.services import nudges

pytestmark = pytest.mark.django_db


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    tried: list[str] = []

    def away() -> None:
        tried.append("x")
        raise OperationalError("timed out")

    monkeypatch.setitem(nudges._senders, nudges.Nudge.DELIVER, away)
    monkeypatch.setattr(nudges, "_not_before", 0.0)
    return tried


def test_a_queue_that_is_away_is_tried_once_in_a_while(
    tried: list[str],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    def commit() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            for _ in range(3):
                nudges.soon(nudges.Nudge.DELIVER)

    commit()
    commit()
    assert len(tried) == 1

    monkeypatch.setattr(nudges, "_not_before", nudges._not_before - nudges.PAUSE_S)
    commit()
    assert len(tried) == 2
