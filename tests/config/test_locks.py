"""The lock files hold no time bomb: what is installed asks for nothing that they don't name.

A pip that meets a requirement which no line of the lock file answers, an extra for instance, takes
the newest release there is, and stops on the day of that release.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LOCKS = sorted(file.name for file in ROOT.glob("requirements*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
CLIENT = tomllib.loads((ROOT / "integrations/pyproject.toml").read_text())["project"]
EXTRAS = dict(PROJECT["project"]["optional-dependencies"])
SSO = EXTRAS.pop("sso")  # an environment that has it has it on top, as litellm
TRACING = EXTRAS.pop("tracing")  # so does this one
RUNTIME = PROJECT["project"]["dependencies"] + [
    wanted for more in EXTRAS.values() for wanted in more
]
ASKED_FOR = {
    "requirements.lock": RUNTIME,
    "requirements-dev.lock": RUNTIME + GROUPS["dev"] + GROUPS["e2e"],
    "requirements-litellm.lock": CLIENT["optional-dependencies"]["litellm"],
    "requirements-audit.lock": GROUPS["auditing"],
    "requirements-build.lock": GROUPS["building"],
    "requirements-clients.lock": GROUPS["clients"],
    "requirements-sso.lock": PROJECT["project"]["dependencies"] + SSO,
    "requirements-tracing.lock": PROJECT["project"]["dependencies"] + TRACING,
    "requirements-sso-tests.lock": GROUPS["sso-tests"],
    "requirements-pip.lock": GROUPS["installer"],
    "requirements-uv.lock": GROUPS["locking"],
}
"""What the projects ask for, by lock file: each is held against its own."""

PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
)
MACHINES = ("x86_64", "aarch64")


@dataclass(frozen=True)
class Pin:
    """One line of a lock file."""

    name: str
    version: str
    extras: frozenset[str]
    marker: Marker | None
    hashes: int


@dataclass(frozen=True)
class Installed:
    """A distribution as its metadata says."""

    version: str
    requires: Sequence[str]


def pins_of(text: str) -> dict[str, Pin]:
    pins: dict[str, Pin] = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        line, *hashes = entry.split("\\\n")
        wanted = Requirement(line.strip())
        (exact,) = wanted.specifier
        assert exact.operator == "==", line
        name = canonicalize_name(wanted.name)
        assert name not in pins, f"{name} is there twice"
        extras = frozenset(map(canonicalize_name, wanted.extras))
        pins[name] = Pin(name, exact.version, extras, wanted.marker, len(hashes))
    return pins


def environments() -> Iterator[dict[str, str]]:
    """All that the project supports: each Python on each system and machine."""
    for python in PYTHONS:
        for system in SYSTEMS:
            for machine in MACHINES:
                yield {
                    **{name: str(value) for name, value in default_environment().items()},
                    **system,
                    "platform_machine": machine,
                    "python_version": python.rpartition(".")[0],
                    "python_full_version": python,
                    "implementation_version": python,
                }


def is_for(marker: Marker | None, environment: Mapping[str, str], extra: str = "") -> bool:
    return marker is None or marker.evaluate({**environment, "extra": extra})


def bombs(
    pins: Mapping[str, Pin], installed: Mapping[str, Installed], asked_for: Sequence[str] = ()
) -> list[str]:
    """Return what would be asked for somewhere and is not in the lock file as it is asked for."""
    found = set()
    for environment in environments():
        for who, text in _requirements(pins, installed, asked_for, environment):
            wrong = _unanswered(Requirement(text), pins, environment)
            if wrong:
                found.add(f"{who} asks for {text}: {wrong}")
    return sorted(found)


def _requirements(
    pins: Mapping[str, Pin],
    installed: Mapping[str, Installed],
    asked_for: Sequence[str],
    environment: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    for text in asked_for:
        if is_for(Requirement(text).marker, environment):
            yield "the project", text
    for name, pin in pins.items():
        found = installed.get(name)
        if found is None or found.version != pin.version or not is_for(pin.marker, environment):
            continue
        for text in found.requires:
            marker = Requirement(text).marker
            if any(is_for(marker, environment, extra) for extra in ("", *pin.extras)):
                yield name, text


def _unanswered(
    wanted: Requirement, pins: Mapping[str, Pin], environment: Mapping[str, str]
) -> str:
    pin = pins.get(canonicalize_name(wanted.name))
    if pin is None or not is_for(pin.marker, environment):
        return f"it is not pinned for Python {environment['python_version']}"
    if not wanted.specifier.contains(pin.version, prereleases=True):
        return f"{pin.version} is pinned"
    missing = set(map(canonicalize_name, wanted.extras)) - pin.extras
    return f"{pin.name}[{','.join(sorted(missing))}] is not named" if missing else ""


def here(folders: Sequence[str] = tuple(sys.path)) -> dict[str, Installed]:
    return {
        canonicalize_name(each.metadata["Name"]): Installed(each.version, each.requires or [])
        for each in metadata.distributions(path=[*folders])
    }


def read(lock: str) -> dict[str, Pin]:
    return pins_of((ROOT / lock).read_text())


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_asks_for_nothing_that_the_lock_file_does_not_name(lock: str) -> None:
    """The litellm lock is added to the development one, and whole in `make litellm` only."""
    pins = read(lock)
    below = read("requirements-dev.lock") if lock == "requirements-litellm.lock" else {}

    assert bombs({**below, **pins}, here(), ASKED_FOR[lock]) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_held_against_the_lock_file_is_all_of_it(lock: str) -> None:
    """A package that isn't installed as pinned would not be looked at."""
    installed = here()
    if lock == "requirements-litellm.lock" and "litellm" not in installed:
        pytest.skip("litellm has an environment of its own: make litellm")
    if lock.startswith("requirements-sso") and "django-allauth" not in installed:
        pytest.skip("single sign-on has an environment of its own: make sso")
    if lock == "requirements-tracing.lock" and "opentelemetry-instrumentation" not in installed:
        pytest.skip("tracing has an environment of its own: make tracing")
    if lock == "requirements-audit.lock":
        pytest.skip("what looks for weaknesses has an environment of its own: make audit holds it")
    if lock == "requirements-build.lock":
        pytest.skip("hatchling is only where wheels are made: .ci/run makes one")
    if lock == "requirements-clients.lock":
        pytest.skip("the generators have an environment of their own: make clients holds it")
    if lock in ("requirements-uv.lock", "requirements-pip.lock"):
        pytest.skip("of the two installers one is there, and neither asks for anything")
    assert unlike(read(lock), installed) == {}


def unlike(pins: Mapping[str, Pin], installed: Mapping[str, Installed]) -> dict[str, object]:
    """Return what should be installed here and is not, or in another version."""
    return {
        name: (pin.version, installed[name].version if name in installed else None)
        for name, pin in pins.items()
        if is_for(pin.marker, {key: str(value) for key, value in default_environment().items()})
        and (name not in installed or installed[name].version != pin.version)
    }


def test_every_lock_file_is_held_against_what_it_is_made_from() -> None:
    assert set(LOCKS) == set(ASKED_FOR)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_file_names_a_host(lock: str) -> None:
    assert all(pin.hashes for pin in read(lock).values())
    assert not re.search(r"(https?|file)://|--(index|extra|find)", (ROOT / lock).read_text())


def test_the_installer_needs_nothing_else() -> None:
    """The machine's own pip installs it, of whatever age that is."""
    assert [*read("requirements-pip.lock")] == ["pip"]
    assert [*read("requirements-uv.lock")] == ["uv"]


LOCK = """
cover[toml]==7.1 \\
    --hash=sha256:1
tomli==2.0 ; python_full_version < '3.13' \\
    --hash=sha256:2
plug==1.0 \\
    --hash=sha256:3
"""


@pytest.mark.parametrize(
    ("requires", "bomb"),
    [
        (["cover[toml]>=7"], None),
        (["cover[Toml]>=7 ; extra == 'never'", "absent ; extra == 'never'"], None),
        (["tomli>=2 ; python_version < '3.12'"], None),
        (["absent ; sys_platform == 'win32'"], None),
        (["cover[toml,html]>=7"], "cover[html] is not named"),
        (["cover>=8"], "7.1 is pinned"),
        (["absent ; python_version >= '3.14'"], "it is not pinned for Python 3.14"),
        (["tomli>=2"], "it is not pinned for Python 3.13"),
        (["absent ; platform_machine == 'aarch64'"], "it is not pinned for Python 3.11"),
    ],
)
def test_a_time_bomb_of_each_kind_is_found(requires: list[str], bomb: str | None) -> None:
    found = bombs(pins_of(LOCK), {"plug": Installed("1.0", requires)})

    assert bomb is None or found[0].endswith(bomb)
    assert bool(found) == bool(bomb)


def test_an_extra_that_the_lock_file_names_is_followed() -> None:
    requires = ["absent>=1 ; extra == 'toml'", "other ; extra == 'html'"]

    found = bombs(pins_of(LOCK), {"cover": Installed("7.1", requires)})

    assert found
    assert all(each.startswith("cover asks for absent>=1") for each in found)


def test_what_the_project_asks_for_and_nobody_locked_is_found() -> None:
    assert bombs(pins_of(LOCK), {}, ["plug>=1", "newcomer[all]>=3"])[0].startswith(
        "the project asks for newcomer"
    )


def test_the_file_that_made_a_fresh_machine_red_is_refused() -> None:
    """pytest-cov asks for coverage[toml]; the file named coverage, and coverage went on."""
    text = (ROOT / "requirements-dev.lock").read_text().replace("coverage[toml]", "coverage")

    assert any("coverage[toml] is not named" in bomb for bomb in bombs(pins_of(text), here()))
