"""How often equal coverage is doubted, and how soon unequal coverage is."""

import pytest

from tests.simulation import coverage
from tests.simulation.conftest import Report

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("per_day", [20, 100])
@pytest.mark.parametrize("world", [coverage.alike, coverage.rare, coverage.common_days])
def test_equal_coverage_is_doubted_in_five_per_cent_at_most(
    world: coverage.Rates, per_day: int, report: Report
) -> None:
    found, _ = coverage.doubted(world, runs=300, per_day=per_day)
    report(f"coverage {world.__name__}, {per_day} a day, 300 runs: doubted {found:.1%}")
    assert found <= 0.05


@pytest.mark.parametrize(("per_day", "clump"), [(20, 5), (100, 10)])
def test_users_who_always_answer_are_no_unequal_coverage(
    per_day: int, clump: int, report: Report
) -> None:
    found, _ = coverage.doubted(coverage.alike, runs=300, per_day=per_day, clump=clump)
    report(f"coverage in clumps of {clump} of {per_day} a day, 300 runs: doubted {found:.1%}")
    assert found <= 0.06


@pytest.mark.parametrize(("per_day", "days"), [(20, 28), (100, 7)])
@pytest.mark.parametrize("world", [coverage.three_to_one, coverage.three_to_two])
def test_unequal_coverage_is_doubted(
    world: coverage.Rates, per_day: int, days: int, report: Report
) -> None:
    found, after = coverage.doubted(world, runs=200, per_day=per_day)
    report(f"coverage {world.__name__}, {per_day} a day: doubted {found:.1%}, after {after:.0f} d")
    assert found >= 0.99
    assert after <= days
