"""``make setup`` installs what is locked, whatever pip there is, and says why where it can't."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from config import install as installing
from tests.config.conftest import ROOT, run

FILES = ("Makefile", "config/install.py")


class Project:
    """A clone with lock files of its own, and an index in a folder: nothing leaves the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        (folder / "config").mkdir()
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)
        self.lock("requirements-dev.lock")
        self.lock("requirements-uv.lock", f"uv==9.9 --hash=sha256:{'0' * 64}")
        self.lock("requirements.lock")
        # The environment is made here and once: its pip is the pinned one.
        subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
        pip = run([str(folder / ".venv/bin/python"), "-m", "pip", "--version"], os.environ)
        self.lock("requirements-pip.lock", f"pip=={pip.stdout.split()[1]} --hash=sha256:{'0' * 64}")

    def lock(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def wheel(self, name: str, *requires: str, script: str = "") -> str:
        """Add a package to the index, with a command where it has one; return its pin."""
        file = self.wheels / f"{name}-1.0-py3-none-any.whl"
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        about += "".join(f"Requires-Dist: {each}\n" for each in requires)
        content = {
            f"{name}.py": "",
            f"{name}-1.0.dist-info/METADATA": about,
            f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\n"
            "Root-Is-Purelib: true\nTag: py3-none-any\n",
        }
        if script:
            content[f"{name}-1.0.data/scripts/{name}"] = f"#!python\n{script}"
        record = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in content.items())
        record += f"{name}-1.0.dist-info/RECORD,,\n"
        with zipfile.ZipFile(file, "w") as archive:
            for path, text in {**content, f"{name}-1.0.dist-info/RECORD": record}.items():
                about_file = zipfile.ZipInfo(path)
                about_file.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
                archive.writestr(about_file, text)
        return f"{name}==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"

    def setup(self, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MAKE", "PIP_"))
        }
        alone = {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_NO_CACHE_DIR": "1",
        }
        command = ["make", "-C", str(self.folder), "--no-print-directory", "setup"]
        return run(command, {**kept, **alone, **environment})


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return "sha256=" + digest.rstrip(b"=").decode()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("install") / "clone")


def has(project: Project, name: str) -> bool:
    code = f"import {name}"
    return run([str(project.folder / ".venv/bin/python"), "-c", code], os.environ).returncode == 0


def test_what_is_locked_is_installed_once_and_in_few_lines(project: Project) -> None:
    project.lock("requirements.lock", project.wheel("one"), project.wheel("two"))

    first, second = project.setup(), project.setup()

    assert first.returncode == 0, first.stdout
    assert "Installing what Hotswap needs, once: 2 packages" in first.stdout
    assert len(first.stdout.splitlines()) < 10
    assert has(project, "one")
    assert has(project, "two")
    assert "Successfully installed" in (project.folder / ".venv/install.log").read_text()
    assert second.stdout in ("", "make: Nothing to be done for 'setup'.\n")


def test_nothing_that_the_lock_file_does_not_name_is_looked_for(project: Project) -> None:
    """An extra without its pin made pip take the newest release there was, and stop."""
    project.lock("requirements.lock", project.wheel("asks", "newcomer[toml]>=7"))

    ended = project.setup()

    assert ended.returncode == 0, ended.stdout
    assert has(project, "asks")


UV = """
import os, subprocess, sys
if sys.argv[1:] == ["--version"]:
    sys.exit(print("uv 1.0 (for tests)"))
print("uv was asked:", sys.argv[1:], os.environ["UV_FIND_LINKS"], os.environ["UV_NO_INDEX"])
if "fails" in open(sys.argv[-1]).read():
    sys.exit(2)
sys.exit(subprocess.call([sys.executable, "-m", *sys.argv[1:4], "--no-deps", *sys.argv[-2:]]))
"""


@pytest.fixture
def with_uv(project: Project) -> Iterator[Project]:
    before = (project.folder / "requirements-uv.lock").read_text()
    project.lock("requirements-uv.lock", project.wheel("uv", script=UV))
    yield project
    project.lock("requirements-uv.lock", before.strip())


def test_the_pinned_uv_installs_by_the_hashes_from_where_pip_is_told_to(with_uv: Project) -> None:
    with_uv.lock("requirements.lock", with_uv.wheel("quick"))

    ended = with_uv.setup()

    said = (with_uv.folder / ".venv/install.log").read_text()
    assert ended.returncode == 0, ended.stdout
    assert has(with_uv, "quick")
    asked = next(line for line in said.splitlines() if line.startswith("uv was asked:"))
    assert "'--require-hashes', '--no-deps'" in asked
    assert asked.endswith(f"{with_uv.wheels} 1")


def test_where_uv_does_not_manage_pip_does(with_uv: Project) -> None:
    with_uv.lock("requirements.lock", with_uv.wheel("fails"))

    ended = with_uv.setup()

    assert ended.returncode == 0, ended.stdout
    assert has(with_uv, "fails")
    said = (with_uv.folder / ".venv/install.log").read_text()
    assert "uv was asked" not in said


@pytest.mark.parametrize(
    ("pips", "uvs"),
    [
        ({}, {}),
        ({"index-url": "https://a/simple"}, {"UV_DEFAULT_INDEX": "https://a/simple"}),
        ({"extra-index-url": "https://a\nhttps://b"}, {"UV_INDEX": "https://a https://b"}),
        ({"find-links": "/a\n/b"}, {"UV_FIND_LINKS": "/a,/b"}),
        ({"no-index": "true"}, {"UV_NO_INDEX": "1"}),
        ({"no-index": "0"}, {}),
        ({"cert": "/ca.pem", "proxy": "http://p"}, {"SSL_CERT_FILE": "/ca.pem", "ALL_PROXY": "http://p"}),
        ({"constraint": "/c.txt"}, {}),
    ],
)  # fmt: skip
def test_what_pip_is_told_uv_is_told_too(pips: dict[str, str], uvs: dict[str, str]) -> None:
    always = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match"}

    assert installing.uv_variables(pips) == {**always, **uvs}


def why(project: Project, line: str, **environment: str) -> str:
    """Break the install with a line; return what is said, once it's clear that nothing was done."""
    stamp = project.folder / ".venv/.runtime"
    stamp.unlink(missing_ok=True)
    project.lock("requirements.lock", line)
    ended = project.setup(**environment)
    assert ended.returncode != 0
    assert not stamp.exists()
    assert "Traceback" not in ended.stdout
    assert len(ended.stdout.splitlines()) < 25
    assert "(all of it: .venv/install.log)" in ended.stdout
    return ended.stdout


def test_a_wrong_hash_says_so_and_what_to_do(project: Project) -> None:
    line = project.wheel("changed").partition(":")[0]

    said = why(project, f"{line}:{'0' * 64}")

    assert "Installing what Hotswap needs failed." in said
    assert "DO NOT MATCH THE HASHES" in said
    assert said.splitlines()[-1].startswith("What to do: A file that was downloaded is not the one")
    assert "git checkout requirements.lock" in said
    assert not has(project, "changed")


def test_a_pin_that_the_index_does_not_have_names_the_python(project: Project) -> None:
    said = why(project, f"absent==9.9 --hash=sha256:{'0' * 64}")

    assert "No matching distribution found for absent==9.9" in said
    assert f"no such file for this Python ({sys.version.split()[0]})" in said


def test_an_index_that_does_not_answer_is_not_taken_for_one_without_the_file(
    project: Project,
) -> None:
    unreachable = {
        "PIP_NO_INDEX": "0",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "1",
    }

    said = why(project, f"absent==9.9 --hash=sha256:{'0' * 64}", **unreachable)

    assert "What to do: The package index can't be reached" in said


def test_a_file_that_is_no_lock_file_shows_what_pip_says(project: Project) -> None:
    said = why(project, "=> nonsense")

    assert "nonsense" in said
    assert "`make clean` begins from nothing" in said


def test_after_a_failure_the_same_command_goes_on(project: Project) -> None:
    why(project, f"absent==9.9 --hash=sha256:{'0' * 64}")
    project.lock("requirements.lock", project.wheel("late"))

    assert project.setup().returncode == 0
    assert has(project, "late")


@pytest.fixture
def pip_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[str]:
    """Put a slow pip in the place of the real one."""
    slow = tmp_path / "pip.py"
    slow.write_text(
        "import sys, time\n"
        "if '--version' in sys.argv: print('pip', sys.argv[1]); sys.exit()\n"
        "for name in 'one', 'two':\n"
        "    print('Collecting', name, flush=True); time.sleep(0.4)\n"
        "print('Installing collected packages: one, two', flush=True); time.sleep(0.4)\n"
    )
    pinned = installing.pins_of(installing.INSTALLER)["pip"]
    monkeypatch.setattr(installing, "PIP", [sys.executable, str(slow), pinned])
    monkeypatch.setattr(installing, "FAST_INSTALLER", tmp_path / "none.lock")
    monkeypatch.setattr(installing, "LOG", tmp_path / "install.log")
    monkeypatch.setattr(installing, "SAYS_SOMETHING_EVERY_S", 0.1)
    return [str(slow)]


@pytest.mark.usefixtures("pip_that")
def test_it_says_where_it_is_while_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("one==1\ntwo[more]==2 ; python_version > '3'\n")

    assert installing.main(["what is needed", str(lock)]) == 0

    said = capsys.readouterr().out
    assert "1 of 2 fetched" in said
    assert "2 of 2 fetched" in said
    assert "of 2 unpacked" in said
    assert said.splitlines()[-1].startswith("  done, ")
