"""Labels: the version number that a model name doesn't have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from versioning.domain.labels import free_label, next_label

STEPS = st.sampled_from(["revision", "snapshot", "minor", "major", "replacement"])


@pytest.mark.parametrize(
    ("step", "label"),
    [
        ("revision", "1.0.1"),
        ("snapshot", "1.1.0"),
        ("minor", "1.1.0"),
        ("major", "2.0.0"),
        ("replacement", "2.0.0"),
    ],
)
def test_each_kind_of_step_raises_its_number(step: str, label: str) -> None:
    assert next_label(label="1.0.0", step=step) == label


@pytest.mark.parametrize("label", ["spring release", "1.0", "1.0.0-beta", "", "9999999.0.0"])
def test_a_label_of_staff_starts_anew(label: str) -> None:
    assert next_label(label=label, step="minor") == "1.0.0"


@given(step=STEPS, taken=st.frozensets(st.sampled_from(["1.0.1", "1.1.0", "1.2.0", "2.0.0"])))
def test_a_free_label_is_free(step: str, taken: frozenset[str]) -> None:
    assert free_label(label="1.0.0", step=step, taken=taken) not in taken
