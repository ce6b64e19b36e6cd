"""Which keys get the new version: always the same ones."""

import subprocess
import sys
from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.assignment import is_in_canary, position

WEIGHTS = st.decimals(0, 1, places=4)


@given(salt=st.text(), key=st.text(), weights=st.tuples(WEIGHTS, WEIGHTS))
def test_a_growing_weight_only_adds_keys(
    salt: str, key: str, weights: tuple[Decimal, Decimal]
) -> None:
    small, large = sorted(weights)
    if is_in_canary(salt=salt, key=key, weight=small):
        assert is_in_canary(salt=salt, key=key, weight=large)


@given(salt=st.text(), key=st.text())
def test_nothing_has_nobody_and_all_has_everybody(salt: str, key: str) -> None:
    assert not is_in_canary(salt=salt, key=key, weight=Decimal(0))
    assert is_in_canary(salt=salt, key=key, weight=Decimal(1))


def test_another_process_says_the_same() -> None:
    code = "from versioning.domain.assignment import position; print(position(salt='s', key='é'))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(said.stdout) == position(salt="s", key="é") == 14007432936048890013


def test_the_share_is_the_weight() -> None:
    """20,000 keys: six standard deviations are 1.3 points."""
    inside = sum(
        is_in_canary(salt="salt", key=f"user-{n}", weight=Decimal("0.1")) for n in range(20_000)
    )
    assert abs(inside / 20_000 - 0.1) < 0.013


def test_two_canaries_begin_with_different_keys() -> None:
    few = [
        {n for n in range(1000) if is_in_canary(salt=salt, key=str(n), weight=Decimal("0.1"))}
        for salt in ("a", "b")
    ]
    assert len(few[0] & few[1]) < 30


def test_salt_and_key_do_not_run_into_each_other() -> None:
    assert position(salt="ab", key="c") != position(salt="a", key="bc")


@given(salt=st.text(), key=st.text())
def test_whoever_is_exactly_at_the_weight_is_outside(salt: str, key: str) -> None:
    """So that a weight of nothing has nobody, be there a key at the line's very beginning."""
    with localcontext(prec=100):
        weight = Decimal(position(salt=salt, key=key)) / 2**64
        assert not is_in_canary(salt=salt, key=key, weight=weight)
        assert is_in_canary(salt=salt, key=key, weight=weight + Decimal(1) / 2**64)
