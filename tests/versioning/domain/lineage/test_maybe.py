"""What is neither an upgrade nor silence: a maybe, with its doubt in a sentence."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.versioning.domain.lineage.invented import words
from versioning.domain.lineage import (
    Answer,
    Known,
    Rules,
    StaffRule,
    StepKind,
    find_successor,
    parse,
)

few = settings(deadline=None, max_examples=60)
SPRING, AUTUMN = date(2025, 3, 14), date(2025, 9, 5)
TODAY = date(2026, 11, 28)


def ask(current: str | Known, *listed: str | Known, **asked: Any) -> Answer:
    first, *rest = (one if isinstance(one, Known) else Known(id=one) for one in (current, *listed))
    return find_successor(Known(id=first.id), listed=[first, *rest], at=TODAY, **asked)


def assert_maybe(answer: Answer, *ids: str) -> None:
    assert answer.step is StepKind.MAYBE
    assert answer.successor is None
    assert {known.id for known in answer.maybes} == set(ids)
    assert answer.offered == (answer.maybes[0] if len(ids) == 1 else None)
    assert answer.doubt in answer.reasons
    assert answer.doubt.endswith(".")
    assert 0 < answer.confidence < 0.3


class TestABareNameAndItsSnapshot:
    @pytest.mark.parametrize(
        ("bare", "dated"),
        [
            ({"input_price": Decimal("0.5")}, {"input_price": Decimal("0.15")}),
            ({"output_price": Decimal(2)}, {"output_price": Decimal("1.5")}),
            ({"input_price": Decimal(0)}, {"input_price": Decimal("0.1")}),
            ({"context_tokens": 131072}, {"context_tokens": 262144}),
            ({"parameters": ("seed",)}, {"parameters": ("seed", "top_k")}),
        ],
    )
    @few
    @given(family=words)
    def test_other_facts_long_after_make_two_models(
        self, family: str, bare: dict[str, Any], dated: dict[str, Any]
    ) -> None:
        old = Known(id=f"{family}-2", released=SPRING, **bare)
        new = Known(id=f"{family}-2-0905", released=AUTUMN, **dated)

        assert ask(old, new).successor == new
        assert ask(new, old).offered is None
        assert_maybe(ask(replace(old, released=None), new), new.id)
        assert ask(replace(old, released=AUTUMN), new).successor is None

    @pytest.mark.parametrize(
        "facts",
        [
            {},
            {"input_price": Decimal(1)},
            {"context_tokens": 128000, "input_price": Decimal("2.5")},
        ],
    )
    def test_where_nothing_but_the_date_tells_it_is_a_maybe(self, facts: dict[str, Any]) -> None:
        old = Known(id="orbit-2", released=SPRING, **facts)
        new = Known(id="orbit-2-2025-09-05", released=AUTUMN, **facts)

        assert_maybe(ask(old, new), new.id)

    def test_rounding_tells_nothing(self) -> None:
        old = Known(id="orbit-2", released=SPRING, context_tokens=128000)
        new = Known(id="orbit-2-0905", released=AUTUMN, context_tokens=131072)

        assert_maybe(ask(old, new), new.id)

    def test_other_weights_tell_it_without_a_date(self) -> None:
        old = Known(id="orbit-2", hugging_face_id="zeta/Orbit-2")
        new = Known(id="orbit-2-0905", hugging_face_id="zeta/Orbit-2-0905")

        assert ask(old, new).successor == new
        assert ask(new, old).offered is None

    def test_weights_tell_what_a_bare_name_stands_for(self) -> None:
        bare = Known(id="orbit-2", hugging_face_id="zeta/Orbit-2-2509")
        older, newer = Known(id="orbit-2-2503"), Known(id="orbit-2-2511")

        assert ask(bare, older).offered is None
        assert ask(bare, newer).successor == newer

    def test_a_name_that_has_moved_once_may_have_moved_again(self) -> None:
        facts: dict[str, Any] = {"context_tokens": 128000, "input_price": Decimal(2)}
        bare = Known(id="orbit-2", released=SPRING, **facts)
        mirrored = Known(id="orbit-2-2025-06-01", released=date(2025, 6, 1), **facts)
        other = Known(id="orbit-2-2025-09-05", context_tokens=64000, input_price=Decimal(1))

        assert ask(bare, other).successor == other
        assert_maybe(ask(bare, mirrored, other), other.id)

    def test_a_pair_that_is_new_is_less_sure(self) -> None:
        old = Known(id="orbit-2", released=SPRING, context_tokens=1000, listed_since=SPRING)
        new = Known(id="orbit-2-0905", released=AUTUMN, context_tokens=9000)
        young, settled = (replace(new, listed_since=day) for day in (TODAY, AUTUMN))

        assert ask(old, young).confidence < ask(old, settled).confidence
        assert "side by side" in " ".join(ask(old, young).reasons)

    def test_a_newer_generation_goes_before(self) -> None:
        assert ask("orbit-2", "orbit-2-0905", "orbit-3").successor == Known(id="orbit-3")

    def test_a_rule_keeps_it_out(self) -> None:
        rules = Rules(ignored=(StaffRule("*-0905"),))
        assert ask("orbit-2", "orbit-2-0905", rules=rules).offered is None


class TestAnOddReleaseDate:
    @few
    @given(words, st.integers(1, 364))
    def test_it_is_doubt_and_no_proof(self, family: str, days: int) -> None:
        old = Known(id=f"{family}-4-fast", released=AUTUMN)
        odd = date.fromordinal(AUTUMN.toordinal() - days)
        new = Known(id=f"{family}-4-1-fast", released=odd)

        answer = ask(old, new)

        assert answer.successor == new
        assert answer.confidence < 0.8
        assert odd.isoformat() in " ".join(answer.reasons)

    def test_dates_in_the_ids_are_no_slip(self) -> None:
        assert ask("orbit-4-2025-09-05", "orbit-5-2025-03-14").offered is None


class TestWordsThatAreLeftOut:
    def test_a_language_that_the_next_one_covers(self) -> None:
        answer = ask("zeta-rank-v3-english", "zeta-rank-v3-multilingual", "zeta-rank-v3.5")
        assert_maybe(answer, "zeta-rank-v3.5")
        assert "english" in answer.doubt

    @pytest.mark.parametrize(
        "newer",
        [
            ("zeta-rank-v3.5-multilingual",),
            ("zeta-rank-v3.5", "zeta-rank-v3.5-multilingual"),
            ("zeta-rank-v3.5-mini",),
            ("zeta-rank-v3.5-preview",),
            ("eu/zeta-rank-v3.5",),
            ("zeta-rank-v3",),
        ],
    )
    def test_another_language_tier_stage_or_route_is_another_model(
        self, newer: tuple[str, ...]
    ) -> None:
        assert ask("zeta-rank-v3-english", *newer).offered is None

    def test_a_kind_that_the_facts_of_the_next_one_cover(self) -> None:
        sees = Known(id="orbit-3", input_modalities=("text", "image"))

        assert_maybe(ask("orbit-2-vision", sees), "orbit-3")
        assert ask("orbit-2-vision", "orbit-3").offered is None
        sighted = Known(id="orbit-3-vision")
        assert ask("orbit-2-vision", sees, sighted).successor == sighted


class TestATierThatTheLineGained:
    @few
    @given(words)
    def test_all_are_named_and_none_is_chosen(self, family: str) -> None:
        answer = ask(f"{family}-v3.2", f"{family}-v4-pro", f"{family}-v4-flash")

        assert_maybe(answer, f"{family}-v4-pro", f"{family}-v4-flash")
        assert {one.id for one in answer.runners_up} == {known.id for known in answer.maybes}

    def test_sizes_that_the_line_gained_are_named_too(self) -> None:
        answer = ask("orbit-mini", "orbit-2-mini-7b", "orbit-2-mini-12b")
        assert_maybe(answer, "orbit-2-mini-7b", "orbit-2-mini-12b")

    @pytest.mark.parametrize(
        "others",
        [
            ("orbit-4-pro",),
            ("orbit-4-pro", "orbit-4-flash", "orbit-3-flash"),
            ("orbit-4-pro", "orbit-4-flash", "orbit-4-preview"),
            ("orbit-4-pro", "orbit-4-flash-preview"),
            ("orbit-4-pro", "eu/orbit-4-flash"),
            ("orbit-3-pro", "orbit-3-flash"),
        ],
    )
    def test_one_tier_or_a_line_that_goes_on_is_no_split(self, others: tuple[str, ...]) -> None:
        assert ask("orbit-3", *others).step is not StepKind.MAYBE

    def test_a_line_that_goes_on_goes_on(self) -> None:
        answer = ask("orbit-3", "orbit-4-pro", "orbit-4-flash", "orbit-4")
        assert answer.successor == Known(id="orbit-4")


class TestOnlyTheMovingNameIsListed:
    @few
    @given(words)
    def test_it_is_a_maybe(self, family: str) -> None:
        assert_maybe(
            ask(f"{family}-large-2407", f"{family}-large-latest"), f"{family}-large-latest"
        )

    def test_what_it_stands_for_is_said(self) -> None:
        latest = Known(id="orbit-large-latest", aliases=("orbit-large-2411",))
        assert "2024-11" in ask("orbit-large-2407", latest).doubt

    @pytest.mark.parametrize(
        "listed",
        [
            (Known(id="orbit-large-latest", aliases=("orbit-large-2407",)),),
            (Known(id="orbit-large-latest", aliases=("orbit-large-2402",)),),
            (Known(id="orbit-large-latest"), Known(id="orbit-large-2402")),
            (Known(id="~orbit-large-latest"),),
            (Known(id="eu/orbit-large-latest"),),
            (Known(id="orbit-small-latest"),),
        ],
    )
    def test_not_where_it_stands_for_no_more(self, listed: tuple[Known, ...]) -> None:
        assert ask("orbit-large-2407", *listed).offered is None


class TestWhatGoesToo:
    @pytest.mark.parametrize("word", ["deprecated", "legacy"])
    def test_for_a_model_that_goes_it_is_a_maybe(self, word: str) -> None:
        going = Known(id="tarn-3", status=word)
        answer = ask(going, Known(id="tarn-3.5", status=word))
        assert_maybe(answer, "tarn-3.5")
        assert word in answer.doubt

    def test_for_one_that_stays_it_is_nothing(self) -> None:
        answer = ask("tarn-3", Known(id="tarn-3.5", status="deprecated"))
        assert (answer.successor, answer.maybes) == (None, ())

    def test_what_is_retired_is_nothing_for_anybody(self) -> None:
        answer = ask(
            Known(id="tarn-3", status="deprecated"), Known(id="tarn-3.5", status="retired")
        )
        assert (answer.successor, answer.maybes) == (None, ())

    def test_one_that_stays_goes_before_it(self) -> None:
        going, newest = (Known(id=f"tarn-{n}", status="legacy") for n in ("3", "4"))
        assert ask(going, "tarn-3.5", newest).successor == Known(id="tarn-3.5")


@pytest.mark.parametrize("month", ["08", "11", "12"])
@pytest.mark.parametrize("name", ["tarn-2", "tarn-k2", "tarn2", "tarn-v3", "tarn-3.5"])
def test_a_month_and_year_after_a_number_are_no_part_of_it(name: str, month: str) -> None:
    read = parse(f"{name}-{month}-2024")
    assert (read.ordinal, str(read.snapshot)) == (parse(name).ordinal, f"2024-{month}")
