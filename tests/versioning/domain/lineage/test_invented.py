"""What holds for any maker: names made by grammar, none of them real."""

from dataclasses import replace
from itertools import permutations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.versioning.domain.lineage.invented import Model, models, relatives, words
from versioning.domain.lineage import (
    Answer,
    Known,
    ModelIndex,
    Rules,
    StepKind,
    UnreadableName,
    find_successor,
    parse,
    same_model,
)
from versioning.domain.lineage.order import order_key

untimed = settings(deadline=None)
worlds = models().flatmap(
    lambda model: st.tuples(st.just(model), st.lists(relatives(model), min_size=1, max_size=8))
)


def listed(*some: Model) -> dict[str, Model]:
    return {model.in_words(): model for model in some}


def ask(model: Model, world: dict[str, Model], rules: Rules | None = None) -> Answer:
    return find_successor(
        Known(id=model.in_words()), listed=[Known(id=id) for id in world], rules=rules
    )


@untimed
@given(worlds)
def test_an_upgrade_stays_in_the_line_and_is_newer(world: tuple[Model, list[Model]]) -> None:
    model, others = world
    found = listed(model, *others)

    answer = ask(model, found)

    if answer.successor:
        chosen = found[answer.successor.id]
        assert answer.step is not StepKind.REPLACEMENT
        assert chosen.line == model.line or chosen.says_its_size_after(model)
        assert chosen.rank > model.rank
        assert not chosen.stage


@untimed
@given(worlds)
def test_the_newest_of_the_line_is_found(world: tuple[Model, list[Model]]) -> None:
    model, others = world
    found = listed(model, *others)
    newer = [
        other
        for other in found.values()
        if other.line == model.line and other.rank > model.rank and not other.stage
    ]
    assume(not any(other.says_its_size_after(model) for other in others))
    # A newer generation with an older date contradicts itself: silence is right there.
    assume(not model.dated or all(other.age >= model.age for other in newer))

    answer = ask(model, found)

    best = max((other.rank for other in newer), default=None)
    assert (answer.successor and found[answer.successor.id].rank) == best


@untimed
@given(worlds)
def test_going_on_step_by_step_never_goes_back(world: tuple[Model, list[Model]]) -> None:
    model, others = world
    found = listed(model, *others)
    at = model
    for _ in range(len(found)):
        answer = ask(at, found)
        if answer.successor is None:
            return
        after = found[answer.successor.id]
        assert after.rank > at.rank
        at = after
    raise AssertionError("The chain has no end.")


@untimed
@given(models(), st.sampled_from(["preview", "exp"]))
def test_a_preview_is_offered_only_where_it_is_allowed(model: Model, stage: str) -> None:
    preview = replace(model, stage=stage, generation=(model.generation[0] + 1, 0))
    found = listed(model, preview)

    assert ask(model, found).successor is None
    allowed = ask(model, found, Rules(allow_previews=True)).successor
    assert allowed is not None
    assert allowed.id == preview.in_words()


@untimed
@given(models(), words)
def test_somebodys_fine_tune_is_never_the_upgrade(model: Model, tuner: str) -> None:
    assume(tuner not in (model.maker, model.family))
    newer = replace(model, generation=(model.generation[0] + 1, 0), channel="{name}")
    tuned = [
        f"{tuner}/{newer.in_words()}",
        f"{tuner}/{tuner}-{newer.in_words()}",
        f"ft:{newer.in_words()}:{tuner}::a1",
        newer.in_words().replace(model.family, f"{model.family}-{tuner}"),
    ]

    answer = find_successor(
        Known(id=model.in_words()), listed=[Known(id=id) for id in (model.in_words(), *tuned)]
    )

    assert answer.successor is None


@untimed
@given(models(), st.sampled_from(["{name}", "{maker}/{name}", "us.{maker}.{name}"]))
def test_a_model_is_recognised_through_another_channel(model: Model, channel: str) -> None:
    other = replace(model, channel=channel)

    assert same_model(Known(id=model.in_words()), Known(id=other.in_words()))


@untimed
@given(worlds)
def test_the_order_of_the_listing_says_nothing(world: tuple[Model, list[Model]]) -> None:
    model, others = world
    ids = list(listed(model, *others))[:4]
    answers = {
        find_successor(Known(id=model.in_words()), listed=[Known(id=id) for id in order]).successor
        for order in permutations(ids)
    }
    assert len(answers) == 1


@untimed
@given(st.lists(st.text(max_size=60), max_size=6))
def test_the_order_key_is_total(texts: list[str]) -> None:
    entries = list(ModelIndex.of(Known(id=text) for text in texts))

    keys = sorted(order_key(entry) for entry in entries)

    assert len(set(keys)) == len(entries)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=210),
        st.text("a1.-_:@/ q4vx", max_size=200),
        st.text("0123456789-", max_size=200),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        identity = parse(text)
    except UnreadableName:
        return
    assert identity.id == text
    assert identity == parse(text)
