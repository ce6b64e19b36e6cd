"""What the guide names is there: rooms, commands, layers."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sample_world/**/*.md")]
OURS = {path.name for path in (ROOT / "versioning").iterdir() if path.is_dir()}
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} | {".ci", ".github"}
ROOMS = [ROOT, ROOT / "versioning", ROOT / "versioning/services"]
"""What a path in the guide may start from."""
MADE_LATER = {"hotswap_handler.py"}
"""Files that a reader makes."""
MADE_HERE = re.compile(r"(var|dist|\.venv|config/shipped)(/|$)")
"""Folders that running or building makes."""

CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}


def rooms_named(page: Path) -> Iterator[str]:
    """Yield what a page writes as a path in this tree: KIND and <kind> stand for any."""
    for word in re.findall(r"`([^`\s]+)`", page.read_text()):
        room = re.sub(r"<\w+>|\b[A-Z]{3,}\b", "*", word)
        first = room.split("/")[0]
        in_tree = "/" in room[1:] and (first in FOLDERS or first in OURS)
        if in_tree or re.fullmatch(r"[\w*./-]+\.(py|toml|lock|cfg)", room):
            yield room


def is_there(room: str) -> bool:
    if room in MADE_LATER or MADE_HERE.match(room):
        return True
    pattern = room.rstrip("/")
    if any(any(base.glob(end)) for base in ROOMS for end in (pattern, f"{pattern}.py")):
        return True
    # A file by its name alone, or by the end of its path, stands in the folder being spoken of.
    return any(
        any((ROOT / top).rglob(pattern)) for top in ("config", "providers", "versioning")
    ) or ("/" not in pattern and any((ROOT / "tests").rglob(pattern)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_room_that_a_page_names_is_there(page: Path) -> None:
    assert [room for room in rooms_named(page) if not is_there(room)] == []


def test_the_tour_of_the_tree_names_folders_that_are_there() -> None:
    tree = (ROOT / "README.md").read_text().partition("## Where things are")[2]
    named = re.findall(r"^ +((?:\w+/ )+)", tree, re.MULTILINE)
    missing = [
        folder
        for line in named
        for folder in line.split()
        if not any((base / folder).is_dir() for base in ROOMS)
    ]
    assert named
    assert missing == []


@pytest.mark.parametrize(("part", "contract"), [
    ("versioning", "Versioning is layered"),
    ("providers", "Providers is layered"),
])  # fmt: skip
def test_the_drawing_is_the_contract(part: str, contract: str) -> None:
    drawing = (ROOT / "docs/architecture.md").read_text().split("```")[1]
    _, _, below = drawing.partition(f"─ {part} ")
    depth = len(re.search(rf"^(.*)─ {part} ", drawing, re.MULTILINE)[1])  # type: ignore[index]
    drawn = re.findall(rf"^.{{{depth + 2}}}[├└]─ ([\w |]+?)(?:  |$)", below, re.MULTILINE)
    written = [layer.replace("(", "").replace(")", "") for layer in CONTRACTS[contract]["layers"]]
    assert drawn[: len(written)] == written
    assert "versioning" in drawing[: drawing.index("providers")]


def test_news_fragments_are_called_as_a_release_looks_for_them() -> None:
    others = {"README.md", "template.jinja"}
    wrong = [
        file.name
        for file in (ROOT / "changelog.d").iterdir()
        if file.name not in others and not re.fullmatch(r"\+[a-z0-9-]+\.change\.md", file.name)
    ]
    assert wrong == []
