"""Workers killed while they check a provider: ``pytest -m slow``; HOTSWAP_KILLS as there."""

import string

import pytest

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import tracked
from tests.kills.conftest import Workers
from tests.kills.test_evaluation_runs import KILLS
from versioning.models import CatalogueEntry, Check, UpgradeRecord
from versioning.services.checks import detection

OLD, NEW = "{}-4-mini-20250101", "{}-4-mini-20250301"
LETTERS = string.ascii_lowercase
MOST_DEATHS = 5
"""In a row: more than one check survives."""


@pytest.mark.slow
def test_what_a_dead_worker_checked_is_taken_up_after_a_minute_and_ends_once(
    provider: Provider, simulator: Simulator, workers: Workers
) -> None:
    rounds = given_up = 0
    while workers.kills < KILLS:
        rounds += 1
        line = f"zeta{LETTERS[rounds // 26]}{LETTERS[rounds % 26]}"  # none succeeds another's
        old, new = OLD.format(line), NEW.format(line)
        simulator.world.add("openai", old)
        tracked(name=old, upstream_id=old, provider=provider)
        simulator.world.add("openai", new)
        given_up += check_until_it_ends(workers, kill=rounds > 1)
        assert CatalogueEntry.objects.filter(upstream_id__in=[old, new]).count() == 2
        assert UpgradeRecord.objects.filter(to_version__upstream_id=new).count() == 1
    assert given_up, "None was given up: what kills each worker must end, too."
    ended = Check.objects.exclude(error_kind="broken")
    assert set(ended.values_list("state", flat=True)) <= {"changed", "unchanged"}
    asked = [each for each in simulator.requests("openai") if each.path.endswith("/models")]
    assert len(asked) <= sum(Check.objects.values_list("takes", flat=True))


def check_until_it_ends(workers: Workers, *, kill: bool) -> int:
    """Have one check made by as many workers as it takes; return how many were given up.

    As the sweep of each minute does, and once more whoever asked for it, where it was given up.
    """
    given_up = deaths = 0
    while True:
        before = Check.objects.last()
        waits = Check.objects.running().exists()
        killed = workers.live("take up" if waits else "check", kill=kill and deaths < MOST_DEATHS)
        deaths += killed
        check = Check.objects.last()
        if killed or check is None:
            continue
        if check.error_kind == "broken":
            assert check.takes == detection.MOST_TAKES
            given_up += 1
        else:
            assert check.state != "running"
            assert check.takes <= detection.MOST_TAKES
            assert before is None or check.pk >= before.pk
            return given_up
