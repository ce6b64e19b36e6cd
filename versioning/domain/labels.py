"""Labels: the version number that a model name doesn't have.

The first version of a tracked model is 1.0.0. A revision under the same id raises the last
number, a snapshot, a minor generation or a maybe the second, a major generation or a replacement
across lines the first.
"""

import re

FIRST_LABEL = "1.0.0"
_LABEL = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", re.ASCII)


def next_label(*, label: str, step: str) -> str:
    """Return the label after ``label`` for a kind of step; a label staff chose starts anew."""
    match = _LABEL.fullmatch(label)
    if match is None:
        return FIRST_LABEL
    major, minor, patch = (int(part) for part in match.groups())
    if step == "revision":
        return f"{major}.{minor}.{patch + 1}"
    if step in {"snapshot", "minor", "maybe"}:
        return f"{major}.{minor + 1}.0"
    return f"{major + 1}.0.0"


def free_label(*, label: str, step: str, taken: frozenset[str]) -> str:
    """Return the next label for the step that no version of the tracked model has yet."""
    candidate = next_label(label=label, step=step)
    while candidate in taken:
        candidate = next_label(label=candidate, step=step)
    return candidate
