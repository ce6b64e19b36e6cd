"""What the README shows works as it stands there."""

import re
from pathlib import Path

import pytest
from django.utils import timezone

from tests.factories import ModelVersionFactory, ProviderFactory, UpgradeRecordFactory, tracked

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.django_db
def test_the_three_uses_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    model = tracked(
        name="qwen-2.5-7b-instruct", provider=ProviderFactory(slug="openrouter", kind="openrouter")
    )
    UpgradeRecordFactory(
        tracked_model=model,
        to_version=ModelVersionFactory(
            tracked_model=model, label="1.1.0", found_improvements=["Longer context"]
        ),
        reasons=["Same line, newer snapshot."],
        recommended_at=timezone.now(),
    )
    (snippet,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)

    exec(compile(snippet, str(README), "exec"), {})  # noqa: S102  (our own README)

    upgrade, waiting, moved = capsys.readouterr().out.splitlines()
    assert upgrade == "True 1.0.0 1.1.0 ('Longer context',)"
    assert waiting == "openrouter qwen-2.5-7b-instruct False Same line, newer snapshot."
    assert moved.startswith("False 1.0.0 ")
    assert len(moved) > len("False 1.0.0 ")  # it says why


def test_what_it_links_to_is_there() -> None:
    guide = [README, README.with_name("CONTRIBUTING.md"), *README.parent.glob("docs/**/*.md")]
    missing = [
        f"{page.name} -> {link}"
        for page in guide
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert missing == []


def test_the_headings_that_it_links_to_are_there() -> None:
    guide = [README, README.with_name("CONTRIBUTING.md"), *README.parent.glob("docs/**/*.md")]
    missing = [
        f"{page.name} -> {link}#{heading}"
        for page in guide
        for link, heading in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", page.read_text())
        if heading not in headings_of(page.parent / link if link else page)
    ]
    assert missing == []


def headings_of(page: Path) -> set[str]:
    """Return what a page's headings are called in addresses, as forges write them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_its_pictures_are_small_and_said_in_words() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README.read_text())
    assert len(pictures) == 4
    assert [words for words, _ in pictures if len(words) < 40] == []
    files = [README.parent / file for _, file in pictures]
    assert [file.name for file in files if file.stat().st_size > 150_000] == []


def test_the_commands_that_it_names_are_there_and_ci_begins_with_them() -> None:
    """A newcomer calls what stands by itself on an indented line."""
    shown = re.findall(r"^    make ([a-z-]+)$", README.read_text(), re.MULTILINE)
    targets = re.findall(r"^([a-z-]+):", README.with_name("Makefile").read_text(), re.MULTILINE)
    ci = (README.parent / ".ci/run").read_text()

    assert {"demo", "test"} <= set(shown) <= set(targets)
    assert 0 < ci.index("make demo") < ci.index("make test")


def test_nobody_is_promised_a_time_that_a_loaded_machine_does_not_keep() -> None:
    """Installing was to take half a minute, and took two. What says how far it is needs none."""
    promised = re.compile(r"\b(?:a|half a|one|two|\d+) (?:minute|second)s?\b", re.IGNORECASE)
    start = README.read_text().partition("## Try it")[2].partition("## A tour")[0]
    makefile = README.with_name("Makefile").read_text()
    assert promised.findall(start) + promised.findall(makefile) == []


def test_what_it_runs_is_run_with_the_projects_own_python() -> None:
    """Another Python has no Django; the project isn't published, so pip can't find it."""
    guide = [README, README.with_name("CONTRIBUTING.md"), *README.parent.glob("docs/**/*.md")]
    wrong = [
        f"{page.name}: {found}"
        for page in guide
        for found in re.findall(
            r"(?<![/\w])(?:python3? (?:manage\.py|-m) (?!venv)\S+|pip install \"?hotswap\S*)",
            page.read_text(),
        )
    ]
    assert wrong == []
