"""Improvements and breaking changes from the metadata of two versions."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.version_changes import Metadata, VersionChanges, changes_between

BEFORE = Metadata(
    context_tokens=32_768,
    output_tokens=4096,
    input_price=Decimal("0.10"),
    input_modalities=("text",),
    parameters=("temperature", "logit_bias"),
    capabilities=("tools",),
)
METADATA = st.builds(
    Metadata,
    context_tokens=st.none() | st.integers(1, 10**6),
    input_price=st.none() | st.decimals(0, 100, places=3),
    parameters=st.lists(st.sampled_from(["seed", "stop", "tools"]), unique=True),
)


def test_more_room_and_a_lower_price_are_improvements() -> None:
    after = Metadata(context_tokens=131_072, input_price=Decimal("0.05"))

    assert changes_between(before=BEFORE, after=after) == VersionChanges(
        improvements=(
            "context 32,768 → 131,072 tokens",
            "input price $0.1 → $0.05 per million tokens (-50%)",
        ),
        breaking_changes=(),
    )


def test_what_is_taken_away_is_a_breaking_change() -> None:
    after = Metadata(
        output_tokens=2048,
        input_modalities=("image",),
        parameters=("temperature",),
        capabilities=("tools", "vision"),
    )

    found = changes_between(before=BEFORE, after=after)

    assert found.breaking_changes == (
        "longest output 4,096 → 2,048 tokens",
        "no longer: text as input",
        "no longer: parameter logit_bias",
    )
    assert found.improvements == ("new: image as input", "new: capability vision")


def test_unknown_is_not_zero() -> None:
    assert changes_between(before=BEFORE, after=Metadata()) == VersionChanges((), ())


def test_a_price_that_was_nothing_has_no_percentage() -> None:
    found = changes_between(
        before=Metadata(output_price=Decimal(0)), after=Metadata(output_price=Decimal(2))
    )

    assert found.breaking_changes == ("output price $0 → $2 per million tokens",)


@given(before=METADATA, after=METADATA)
def test_going_back_turns_each_improvement_into_a_loss(before: Metadata, after: Metadata) -> None:
    there = changes_between(before=before, after=after)
    back = changes_between(before=after, after=before)

    assert len(there.improvements) == len(back.breaking_changes)
    assert len(there.breaking_changes) == len(back.improvements)
