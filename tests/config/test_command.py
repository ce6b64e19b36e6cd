"""``hotswap``: up, demo, manage; the wheel itself is tried by .ci/wheel.py."""

import sys
import tomllib
from argparse import Namespace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from config import command, supervisor
from tests.config.conftest import ROOT, embedded, run

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_wheel_s_command_is_there() -> None:
    module, _, name = PROJECT["project"]["scripts"]["hotswap"].partition(":")
    assert getattr(import_module(module), name) is command.main


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["fly"], 2), (["--help"], 0)])
def test_it_says_what_it_can_do(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == code
    said = capsys.readouterr().err
    assert all(f"hotswap {verb} " in said for verb in ("up", "web", "worker", "demo", "manage"))
    assert "hotswap beat\n" in said


def test_without_the_sample_world_demo_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        command, "find_spec", lambda name: None if name == "sample_world" else find_spec(name)
    )
    with pytest.raises(SystemExit) as ended:
        command.main(["demo"])
    assert ended.value.code == command.NO_SAMPLE_WORLD


def test_up_becomes_the_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[Any] = []
    monkeypatch.setattr("os.execv", lambda *given: became.extend(given))
    command.main(["up", "--port", "8080"])
    assert became[0] == sys.executable
    assert became[1][1:] == ["-P", str(ROOT / "config/supervisor.py"), "--port", "8080"]


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_one_program_alone_is_what_up_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[Any] = []
    monkeypatch.setattr("os.execv", lambda *given: became.extend(given))
    command.main([name, "--host", "192.0.2.7", "--port", "8080"])
    options = Namespace(host="192.0.2.7", port=8080)
    (wanted,) = (each.command for each in supervisor.programs_of(options) if each.name == name)
    assert became == [sys.executable, list(wanted)]


def test_manage_runs_a_management_command(capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["manage", "check"])
    assert "no issues" in capsys.readouterr().out


def test_what_is_for_development_is_no_package_of_the_wheel() -> None:
    """.ci/wheel.py looks into the wheel; here a new folder at the top has to be put somewhere."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    shipped = {*wheel["packages"], *wheel["force-include"]}
    held_back = {
        "benchmarks",
        "changelog.d",
        "deploy",
        "docs",
        "integrations",
        "sample_world",
        "tests",
    }
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    unknown = folders - {"var", "dist", "__pycache__"} - shipped - held_back
    assert unknown == set(), "Say here, or in pyproject.toml, whether it ships."
    assert "voice.py" in wheel["exclude"]


def test_a_command_tells_slips_of_settings_and_loads_no_page(tmp_path: Path) -> None:
    """Checks of pages would load each of them first, which took a quarter of every command."""
    command = [sys.executable, "-X", "importtime", "manage.py", "secrets_key"]
    told = run(command, embedded(tmp_path, HOTSWAP_DATA_DIRECTORY="slip")).stderr
    assert "HOTSWAP_DATA_DIRECTORY" in told
    assert "versioning.models" in told  # so what is loaded is listed
    assert "versioning.admin" not in told
    assert "config.urls" not in told
