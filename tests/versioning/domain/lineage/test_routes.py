"""The way that a model is reached is part of its identity; what says nothing has no successor."""

from dataclasses import replace
from string import hexdigits

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.versioning.domain.lineage.invented import Model, models, relatives, words
from versioning.domain.lineage import Answer, Known, Rules, StaffRule, StepKind, find_successor
from versioning.domain.lineage.line import tokens_of
from versioning.domain.lineage.vocabulary import PRICES, REGIONS, ROUTES

few = settings(deadline=None, max_examples=60)
routes = st.one_of(
    st.sampled_from(sorted(ROUTES | REGIONS | PRICES)), words, words.map("projects/{}".format)
)
worlds = models().flatmap(
    lambda model: st.tuples(st.just(model), st.lists(relatives(model), min_size=1, max_size=5))
)


def ask(current: str, *listed: str) -> Answer:
    return find_successor(Known(id=current), listed=[Known(id=id) for id in (current, *listed)])


def owned(model: Model) -> str:
    """Write a model with its maker in the path, as gateways do."""
    return replace(model, channel="{maker}/{name}").in_words()


def through(route: str, name: str) -> str:
    return f"{route}/{name}"


@few
@given(worlds, routes)
def test_a_route_on_both_sides_changes_nothing(
    world: tuple[Model, list[Model]], route: str
) -> None:
    model, others = world
    names = [owned(other) for other in others]

    plain = ask(owned(model), *names)
    routed = ask(through(route, owned(model)), *(through(route, name) for name in names))

    assert routed.step == plain.step
    assert routed.confidence == plain.confidence
    chosen = plain.offered.id if plain.offered else None
    assert (routed.offered.id if routed.offered else None) == (chosen and through(route, chosen))


@few
@given(worlds, routes, routes)
def test_another_route_is_never_offered(
    world: tuple[Model, list[Model]], route: str, other: str
) -> None:
    model, others = world
    assume(route != other)
    names = [owned(other) for other in others]
    routed = [through(other, name) for name in names]

    assert ask(through(route, owned(model)), *names).offered is None
    assert ask(owned(model), *(through(route, name) for name in names)).offered is None
    assert ask(through(route, owned(model)), *routed).offered is None


@few
@given(models(), st.sampled_from(["eu", "us-gov", "azure", "batch", "free", "bedrock"]))
def test_a_way_before_a_bare_name_is_no_maker(model: Model, route: str) -> None:
    old = replace(model, channel="{name}")
    new = replace(old, generation=(model.generation[0] + 1, 0), age=31)

    assert ask(through(route, old.in_words()), new.in_words()).offered is None
    assert ask(old.in_words(), through(route, new.in_words())).offered is None
    assert ask(through(route, old.in_words()), through(route, new.in_words())).successor


@pytest.mark.parametrize(
    ("current", "other"),
    [
        ("azure/gpt-4o", "openai/gpt-5"),
        ("gateway/claude-3-haiku", "claude-4-haiku"),
        ("bedrock/zeta.orbit-1-v1:0", "zeta/orbit-2"),
        ("bedrock/us.zeta.orbit-1-v1:0", "bedrock/zeta.orbit-2-v1:0"),
        ("swift_ai/accounts/swift/models/orbit-1", "quick_ai/zeta/orbit-2"),
        ("accounts/one/models/orbit-1", "accounts/two/models/orbit-2"),
        ("projects/1/locations/eu/publishers/zeta/models/orbit-1", "zeta/orbit-2"),
        ("arn:aws:bedrock:us-east-1::foundation-model/zeta.orbit-1", "zeta.orbit-2"),
        (
            "arn:aws:bedrock:us-east-1:12:inference-profile/us.zeta.orbit-1",
            "arn:aws:bedrock:us-east-1:34:inference-profile/us.zeta.orbit-2",
        ),
    ],
)
def test_a_path_of_a_gateway_is_not_left(current: str, other: str) -> None:
    assert ask(current, other).offered is None


@pytest.mark.parametrize(
    ("provider", "current", "newer"),
    [
        ("", "models/orbit-1", "orbit-2"),
        ("", "publishers/zeta/models/orbit-1", "zeta/orbit-2"),
        ("gemini", "gemini/gemini-1.5-pro", "gemini-2.5-pro"),
        (
            "",
            "arn:aws:bedrock:us-east-1::foundation-model/zeta.orbit-1-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/zeta.orbit-2-v1:0",
        ),
    ],
)
def test_a_container_and_the_providers_own_name_say_nothing(
    provider: str, current: str, newer: str
) -> None:
    answer = find_successor(Known(id=current), listed=[Known(id=newer)], provider=provider)

    assert answer.successor == Known(id=newer)


def test_a_stated_replacement_is_offered_on_the_own_route_only() -> None:
    current = Known(id="azure/orbit-1", replacement="omega-1", status="deprecated")
    here, there = Known(id="azure/omega-1"), Known(id="quick_ai/omega-1")

    assert find_successor(current, listed=[there, here]).successor == here
    crossed = find_successor(current, listed=[there])
    assert crossed.successor is None
    assert "It is reached by another route." in crossed.reasons


def test_an_unknown_gateway_before_a_closed_family_is_a_route() -> None:
    assert ask("gateway/gpt-3.5-turbo-0613", "gateway/gpt-4-turbo").offered is None
    answer = ask("gateway/gpt-3.5-turbo-0613", "gateway/gpt-3.5-turbo-0125")
    assert answer.step is StepKind.SNAPSHOT


@few
@given(models(), words)
def test_another_name_for_the_maker_changes_nothing(model: Model, maker: str) -> None:
    newer = replace(model, generation=(model.generation[0] + 1, 0), age=31)
    renamed = [replace(one, maker=maker) for one in (model, newer)]

    before, after = ask(owned(model), owned(newer)), ask(*map(owned, renamed))

    assert (before.step, before.confidence) == (after.step, after.confidence)


@few
@given(models(), st.sampled_from("_ "))
def test_another_separator_changes_nothing(model: Model, separator: str) -> None:
    newer = replace(model, generation=(model.generation[0] + 1, 0), age=31)
    names = [replace(one, channel="{name}").in_words() for one in (model, newer)]

    before = ask(*names)
    after = ask(*(name.replace("-", separator) for name in names))

    assert (before.step, before.confidence) == (after.step, after.confidence)


@few
@given(models(), st.sampled_from(["24k", "128k", "300k", "1m"]))
def test_a_limit_follows_to_the_same_limit(model: Model, limit: str) -> None:
    old = replace(model, suffix="", channel="{maker}.{name}")
    new = replace(old, generation=(model.generation[0] + 1, 0), age=31)
    plain, limited = f"{new.in_words()}-v1:0", f"{new.in_words()}-v1:0:{limit}"
    current = f"{old.in_words()}-v1:0"

    assert ask(f"{current}:{limit}", plain).offered is None
    assert ask(current, limited).offered is None
    answer = ask(f"{current}:{limit}", plain, limited)
    assert answer.successor
    assert answer.successor.id == limited


@pytest.mark.parametrize(
    ("current", "newer"),
    [
        ("orbit-1:24k", "orbit-2"),
        ("zeta.orbit-1-v1:0:8k", "zeta.orbit-2-v1:0:24k"),
        ("zeta.orbit-1-v1:0:mm", "zeta.orbit-2-v1:0"),
        ("zeta.orbit-1-v1:0:512", "zeta.orbit-2-v1:0"),
    ],
)
def test_a_limit_is_not_left(current: str, newer: str) -> None:
    assert ask(current, newer).offered is None


contexts = st.sampled_from(["4096", "8k", "16k", "32k", "65536", "128k", "200k"])


@few
@given(models(), contexts, st.sets(contexts, min_size=1))
def test_the_context_in_a_name_stays_or_grows_as_little_as_it_can(
    model: Model, now: str, listed: set[str]
) -> None:
    # A bare number beside a size (`70b-8192`) says besides how chat is hosted.
    assume(not model.size or not any(each.isdigit() for each in (now, *listed)))
    old = replace(model, channel="{name}", dated="", suffix="", packaging="")
    new = replace(old, generation=(model.generation[0] + 1, 0), age=31)
    found = ask(f"{old.in_words()}-{now}", *(f"{new.in_words()}-{each}" for each in listed))

    enough = {each for each in listed if tokens_of(each) * 1.1 >= tokens_of(now)}
    assert (found.successor is not None) is bool(enough)
    if found.successor:
        chosen = found.successor.id.removeprefix(f"{new.in_words()}-")
        least = min(enough, key=tokens_of)
        assert chosen == (now if now in listed else least)


def test_a_context_follows_to_the_same_one_before_none() -> None:
    found = ask("orbit-1-16k", "orbit-2", "orbit-2-16k", "orbit-2-32k")
    assert found.successor
    assert found.successor.id == "orbit-2-16k"


opaque = st.one_of(
    st.uuids().map(str),
    st.uuids().map("deployment-{}".format),
    st.text(hexdigits.lower(), min_size=12, max_size=64).filter(
        lambda text: any(c.isdigit() for c in text)
    ),
    st.text("0123456789abcdefghijklmnop", min_size=8, max_size=12).map(
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/{}".format
    ),
)


@few
@given(opaque, opaque, models())
def test_an_id_that_says_nothing_has_no_successor(one: str, two: str, model: Model) -> None:
    answer = ask(one, two, model.in_words())

    assert answer.offered is None
    assert "says nothing" in answer.reasons[0]
    assert ask(model.in_words(), one, two).offered is None


def test_a_person_may_still_name_its_successor() -> None:
    arn = "arn:aws:bedrock:us-east-1:1:application-inference-profile/ab12"
    rules = Rules(successor=StaffRule("orbit-2"))

    answer = find_successor(Known(id=arn), listed=[Known(id="orbit-2")], rules=rules)

    assert answer.step is StepKind.REPLACEMENT


@few
@given(models())
def test_ids_that_differ_by_case_are_one_where_one_matches(model: Model) -> None:
    newer = replace(model, generation=(model.generation[0] + 1, 0))
    listed = [Known(id=model.in_words(), status="deprecated"), Known(id=newer.in_words())]
    asked = Known(id=model.in_words().upper())

    answer = find_successor(asked, listed=listed)

    as_listed = find_successor(listed[0], listed=listed)
    assert answer == as_listed


def test_of_two_that_differ_by_case_neither_is_meant() -> None:
    listed = [Known(id="Orbit-1", status="deprecated"), Known(id="orbit-1"), Known(id="orbit-2")]

    answer = find_successor(Known(id="ORBIT-1"), listed=listed)

    assert answer.successor == Known(id="orbit-2")


@pytest.mark.parametrize(
    "name", ["auto", "zeta/auto", "router-1", "zeta/orbit-router", "~zeta/a-latest"]
)
def test_a_router_or_moving_alias_is_no_version(name: str) -> None:
    assert ask(name, name.replace("1", "2"), "zeta/auto-2", "zeta/orbit-2").offered is None
    assert ask("zeta/orbit-1", "zeta/orbit-auto-2", name).offered is None
