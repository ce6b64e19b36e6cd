"""A quota: never more than its most in a window, everybody by themselves, and it comes back."""

from hypothesis import given
from hypothesis import strategies as st

from versioning.domain import quotas
from versioning.domain.quotas import Quota

STEPS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=60)


@given(steps=STEPS, most=st.integers(1, 5))
def test_no_window_holds_more_than_its_most(steps: list[tuple[str, int]], most: int) -> None:
    quota, at, let_in = Quota(most=most, seconds=10), 0, list[tuple[str, int]]()
    for who, pause in steps:
        at += pause
        taken = quota.take(who, at=at)
        assert 1 <= taken.reset_s <= 10
        assert 0 <= taken.remaining <= most - taken.allowed
        if taken.allowed:
            let_in.append((who, at))
        else:
            assert quota.take(who, at=at + taken.reset_s).allowed
            return
    for who, began in let_in:
        # Windows don't slide: two that touch may let in twice as many, and never more.
        assert sum(w == who and began <= t < began + 10 for w, t in let_in) <= 2 * most


@given(what=st.lists(st.integers(0, 8), max_size=40))
def test_the_same_counts_once(what: list[int]) -> None:
    quota = Quota(most=5, seconds=10)
    for each in what:
        quota.take_distinct("a", each, at=0)
    assert quota.left("a", at=0).remaining == max(0, 5 - len(set(what)))
    assert quota.left("a", at=10).remaining == quota.left("b", at=0).remaining == 5


def test_who_is_counted_is_bounded() -> None:
    quota = Quota(most=1, seconds=10)
    for who in range(quotas.MOST_COUNTED + 5):
        quota.take(who, at=0)
    assert quota.take(4, at=0).allowed
    assert not quota.take(quotas.MOST_COUNTED, at=0).allowed
