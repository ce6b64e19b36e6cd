"""An adapter and a scorer of another package, found as pip leaves them: by its entry points."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from providers import plugins, registry
from providers.checks import plugins_can_be_used
from providers.kinds.openai.adapter import OpenAI
from tests.config.conftest import ROOT, embedded
from versioning.domain import scoring
from versioning.models import Notice
from versioning.services import plugins as service

ACME = Path(__file__).parent / "acme"


def install(folder: Path, *, name: str, entry_points: dict[str, dict[str, str]]) -> None:
    """Write into the folder what pip writes of a package beside its code."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line
        for group, points in entry_points.items()
        for line in (f"[{group}]", *(f"{key} = {value}" for key, value in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Processes with this environment have Acme's package installed."""
    project = tomllib.loads((ACME / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    site.mkdir()
    install(site, name=project["name"], entry_points=project["entry-points"])
    (site / "acme_hotswap").symlink_to(ACME / "acme_hotswap")
    paths = os.pathsep.join([str(site), str(ROOT)])
    return embedded(tmp_path / "var", PYTHONPATH=paths, ACME_API_KEY="")


def run(environment: dict[str, str], *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_conformance_tests_take_up_its_kind_and_its_scorer(environment: dict[str, str]) -> None:
    tests = ["tests/providers/test_conformance.py", "-k", "acme or haiku", "-p", "no:cacheprovider"]
    tests.append("tests/versioning/domain/scoring/test_conformance.py")
    environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"

    said = run(environment, "-m", "pytest", *tests, "-o", "addopts=", "-p", "no:randomly")

    passed = int(said.rpartition(" passed")[0].split()[-1])
    assert passed > 25
    assert "failed" not in said


def test_its_kind_and_its_scorer_are_there_in_every_process(environment: dict[str, str]) -> None:
    said = run(
        environment,
        "-c",
        "import django; django.setup()\n"
        "from providers import registry\n"
        "from versioning.domain.scoring import Output, read_uses, score_output\n"
        "print(registry.adapter_class('acme').label, ('acme', 'Acme') in registry.kinds())\n"
        "poem = Output(text='a\\nb\\nc')\n"
        "print(score_output(output=poem, expected='', uses=read_uses(['haiku'])).value)\n",
    )
    assert said == "Acme True\n1.0\n"


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Packages that can't be used, each for another reason, beside one that can."""
    (tmp_path / "rusty.py").write_text("raise ImportError('needs libfoo')\n")
    (tmp_path / "greedy.py").write_text(
        "from providers.base import Adapter\n"
        "class Greedy(Adapter):\n    kind = 'openai'\n    label = 'Mine'\n"
        "class Nameless(Adapter):\n    kind = 'nameless'\n"
        "class Fine(Adapter):\n    kind = 'fine'\n    label = 'Fine'\n"
        "quits = None\n"
    )
    (tmp_path / "quits.py").write_text("raise SystemExit(1)\n")
    for name, targets in {
        "rusty": ["rusty:Adapter"],
        "quits": ["quits:Adapter"],
        "greedy": ["greedy:Greedy", "greedy:Nameless", "greedy:Fine", "greedy:quits"],
    }.items():
        points = {f"point{number}": target for number, target in enumerate(targets)}
        install(tmp_path, name=name, entry_points={plugins.ADAPTERS: points})
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "_broken", {})
    registry._by_kind.cache_clear()
    yield
    registry._by_kind.cache_clear()


@pytest.mark.usefixtures("broken")
def test_what_raises_costs_itself_only_and_is_named() -> None:
    told = [message.msg for message in plugins_can_be_used()]

    assert [kind for kind, _ in registry.kinds() if kind in {"fine", "nameless"}] == ["fine"]
    assert registry.adapter_class("openai") is OpenAI
    assert len(told) == 5
    for package, why in (
        ("rusty", "raised ImportError (needs libfoo)"),
        ("quits", "raised SystemExit (1)"),
        ("greedy", "has the kind openai, which is taken"),
        ("greedy", "has no label"),
        ("greedy", "is no class on providers.base.Adapter"),
    ):
        assert any(f"The plug-in {package} can't be used" in t and why in t for t in told), why


@pytest.mark.django_db
@pytest.mark.usefixtures("broken")
def test_the_inbox_names_it_until_it_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("check")
    service.raise_faults(now=timezone.now())
    service.raise_faults(now=timezone.now())
    subjects = Notice.objects.open().values_list("subject", flat=True)
    assert sorted(subjects) == ["plug-in greedy", "plug-in quits", "plug-in rusty"]

    monkeypatch.setattr(plugins, "_broken", {})
    service.raise_faults(now=timezone.now())
    assert not Notice.objects.open().exists()


def test_a_scorer_that_raises_or_is_gone_costs_its_own_word_only() -> None:
    class Fragile(scoring.Scorer):
        name = "fragile"
        explanation = "Raises."

        def score(self, **_: object) -> scoring.Score:
            raise KeyError("anything")

    scoring.register(Fragile())
    try:
        with pytest.raises(scoring.NameTaken, match="fragile"):
            scoring.register(Fragile())
        uses = scoring.read_uses(["exact", "fragile"])
        score = scoring.score_output(output=scoring.Output(text="a"), expected="a", uses=uses)
        assert score == scoring.Score(1.0, "exact: as expected; fragile: it failed with KeyError")
    finally:
        scoring.registry._SCORERS.pop("fragile")
    score = scoring.score_output(output=scoring.Output(text="a"), expected="a", uses=uses)
    assert score.value == 1.0
    assert "no such scorer" in score.reason
