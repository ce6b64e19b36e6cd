"""One word, one thing: what a name means doesn't depend on where it is read."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DJANGO_NAMES_THEM = {"Command", "Migration"}
"""Django finds these by that very name, one a module."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in ("config", "providers", "versioning"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def test_no_two_classes_share_a_name() -> None:
    found = defaultdict(list)
    for path, module in modules():
        for node in module.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path))

    assert {
        name: paths
        for name, paths in found.items()
        if len(paths) > 1 and name not in DJANGO_NAMES_THEM
    } == {}


def test_no_function_is_called_by_a_word_that_says_nothing() -> None:
    """A public function is named for what it does or returns."""
    vague = {"tell", "told", "said", "say", "says", "look", "heard"}

    assert [
        f"{path}: {node.name}"
        for path, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in vague
    ] == []
