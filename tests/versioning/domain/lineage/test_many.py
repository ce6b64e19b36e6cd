"""Among very many models of one maker only the family is looked at: the answer stays the same."""

from random import Random

import pytest

from versioning.domain.lineage import Answer, Known, ModelIndex, find_successor, names, parse

WORDS = ("tarn", "brook", "kest", "ode", "vale")
ENDS = ("", "-mini", "-pro", "-english", "-vision", "-7b", "-7b-instruct", "-latest", "-preview")


def made_up(dice: Random) -> str:
    """Return an id of a maker that doesn't exist."""
    version = dice.choice(("", "-1", "-2", "-2.5", "-3", "-v4"))
    dated = dice.choice(("", "", "-20250301", "-20250701", "-0905"))
    return f"acme/{dice.choice(WORDS)}{version}{dice.choice(ENDS)}{dated}"


def said(answer: Answer) -> tuple[object, ...]:
    return answer.successor, answer.step, answer.confidence, answer.maybes, answer.doubt


@pytest.mark.parametrize("seed", range(12))
def test_the_answer_is_that_of_looking_at_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = Random(seed)
    models = [Known(id=id) for id in sorted({made_up(dice) for _ in range(80)})]
    whole = ModelIndex.of(models, provider="openai")
    everywhere = [said(find_successor(m, listed=whole, provider="openai")) for m in models]

    monkeypatch.setattr(names, "MOST_COMPARED", 0)
    by_family = ModelIndex.of(models, provider="openai")
    for model, expected in zip(models, everywhere, strict=True):
        assert len(by_family.near(parse(model.id, provider="openai"))) < len(models)
        assert said(find_successor(model, listed=by_family, provider="openai")) == expected


LINE = [Known(id=f"acme/tarn-{n}.{part}") for n in range(1, 90) for part in range(1, 30)]


def test_of_a_long_line_the_ends_are_looked_at() -> None:
    """Enough to find the newest, and that an older generation had the tier beside it."""
    tiers = [Known(id=f"acme/tarn-{n}-{tier}") for n in (2, 91) for tier in ("pro", "mini")]
    market = ModelIndex.of([*LINE, *tiers], provider="openai")
    for old in (LINE[0], LINE[1_000]):
        assert find_successor(old, listed=market, provider="openai").successor == LINE[-1]
    newest = find_successor(LINE[-1], listed=market, provider="openai")
    assert (newest.successor, newest.maybes) == (None, ())
    assert len(market.near(parse("acme/tarn-7.7", provider="openai"))) < 300


def test_a_stated_successor_in_the_middle_of_a_long_line_is_found() -> None:
    middle = LINE[900]
    current = Known(id="acme/tarn-1.1", replacement=middle.id, replacement_source="acme")
    market = ModelIndex.of([current, *LINE[1:]])
    assert find_successor(current, listed=market).successor == middle
