"""A suite of 50 cases over two real models, where a server is given; see docs/evaluation.md."""

import os

import pytest

from benchmarks import real_server

ADDRESS = os.environ.get("HOTSWAP_REAL_SERVER", "")
MODELS = os.environ.get("HOTSWAP_REAL_MODELS", "").split()


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.skipif(
    not ADDRESS or len(MODELS) != 2,
    reason="set HOTSWAP_REAL_SERVER to a base URL, HOTSWAP_REAL_MODELS to 'WORSE BETTER'",
)
def test_the_worse_is_refused_the_better_taken_and_estimates_hold() -> None:
    up, back = real_server.run(base_url=ADDRESS, worse=MODELS[0], better=MODELS[1])

    assert (up.state, back.state) == ("completed", "failed")
    assert "; better" in up.sentence
    assert "; worse" in back.sentence
    assert max([*up.ratios.values(), *back.ratios.values()]) <= 2


def test_there_are_fifty_questions_each_once() -> None:
    asked = [str(case["variables"]) for case in real_server.cases()]
    assert len(asked) == len(set(asked)) == 50
