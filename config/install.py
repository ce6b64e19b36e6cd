"""Install what a lock file names, and nothing else: ``python -P config/install.py WHAT FILE``.

It needs nothing but the standard library and the pip that ``venv`` brings, of any age. That pip
fetches the uv of requirements-uv.lock, which fetches and unpacks side by side, in a quarter of the
time. Where uv can't be had, or fails, pip does it (the one of requirements-pip.lock, installed
first): its reasons are those that people know. What is said goes to install.log in the
environment; a failure shows its end, and what to do.
"""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
INSTALLER = BASE_DIR / "requirements-pip.lock"
FAST_INSTALLER = BASE_DIR / "requirements-uv.lock"
UV = Path(sys.prefix) / "bin" / "uv"
LOG = Path(sys.prefix) / "install.log"
SAYS_SOMETHING_EVERY_S = 5.0
SHOWN_OF_A_FAILURE = 12
# Hashes for every file, and nothing that the lock doesn't name: a requirement that it forgot
# would otherwise be filled with whatever is newest on that day.
PIP = [sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", "--no-input"]
AS_LOCKED = ["install", "--require-hashes", "--no-deps"]
QUIETLY = ["--progress-bar", "off"]

WHAT_TO_DO = (
    (
        r"DO NOT MATCH THE HASHES|Hashes are required|Expected sha256",
        "A file that was downloaded is not the one that {lock} names. If you changed {lock}, get "
        "it back with `git checkout {lock}`; else empty pip's cache (`{python} -m pip cache "
        "purge`) and run the same command again.",
    ),
    (
        r"No space left",
        "The disk is full: make room, and run the same command again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The package index's certificate is not trusted: name your certificates in PIP_CERT, and "
        "run the same command again.",
    ),
    (
        r"NewConnectionError|NameResolutionError|Temporary failure|ConnectTimeout|ReadTimeout"
        r"|ProxyError|ConnectionError|Max retries|Connection refused",
        "The package index can't be reached: look at the network, or name your proxy or mirror "
        "(PIP_PROXY, PIP_INDEX_URL), and run the same command again; it goes on where it was.",
    ),
    (
        r"No matching distribution|Could not find a version|requires a different Python",
        "The package index has no such file for this Python ({version}). Look whether your mirror "
        "is complete, or take another Python: `make clean`, then the same command with "
        "PYTHON=python3.13.",
    ),
    (
        r"No module named pip|No module named ensurepip",
        "The environment was left half made: `make clean`, then the same command again.",
    ),
)
OTHERWISE = (
    "Run the same command again. If it ends the same way, `make clean` begins from nothing; what "
    "pip says above names the package."
)


class CannotInstall(Exception):
    """Why it failed and what to do, for the person at the terminal."""


def pins_of(lock: Path) -> dict[str, str]:
    """Return name and version of each package that a lock file names."""
    return dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", lock.read_text(), re.MULTILINE))


def install(*, what: str, lock: Path) -> None:
    """Install the pinned pip if it is another, then the lock file. Raises CannotInstall."""
    began = time.monotonic()
    count = len(pins_of(lock))
    packages = f"{count} package{'s'[: count != 1]}"
    _say(f"Installing {what}, once: {packages}; what pip says is in {_shown(LOG)} ...")
    if not _uv(lock, began=began):
        LOG.write_text("")
        if _version_of_pip() != pins_of(INSTALLER)["pip"]:
            _pip(INSTALLER, what="pip", began=began)
        _pip(lock, what=what, began=began)
    _say(f"  done, {time.monotonic() - began:.0f} s")


def _uv(lock: Path, *, began: float) -> bool:
    """Install a lock file with uv; return False where uv can't be had or doesn't manage."""
    LOG.write_text("")
    if lock == FAST_INSTALLER or not _has_uv(began):
        return False
    command = [str(UV), "pip", *AS_LOCKED, "--python", sys.executable, "-r", str(lock)]
    return not _run(
        command,
        stage=lambda: f"{_unpacked(lock)} unpacked",
        began=began,
        environment={**uv_variables(_settings_of_pip()), **os.environ},
    )


def _has_uv(began: float) -> bool:
    """Have pip fetch the pinned uv unless it is there. It is never built: that takes a compiler."""
    if not FAST_INSTALLER.exists():
        return False
    pinned = pins_of(FAST_INSTALLER)["uv"]
    if _version_of_uv() == pinned:
        return True
    command = [*PIP, *AS_LOCKED, *QUIETLY, "--only-binary", ":all:", "-r", str(FAST_INSTALLER)]
    return not _run(command, stage=lambda: "uv first", began=began) and _version_of_uv() == pinned


def _version_of_uv() -> str:
    """Return it; empty where there is none, or none that this machine runs."""
    try:
        ended = subprocess.run([str(UV), "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (ended.stdout.split() + ["", ""])[1]


def _settings_of_pip() -> dict[str, str]:
    """Return what pip's files and variables tell it; of several, the one that pip goes by."""
    ended = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=False)
    found: dict[str, dict[str, str]] = {}
    for part, name, value in re.findall(r"^(\S+?)\.([\w-]+)=('.*')$", ended.stdout, re.MULTILINE):
        found.setdefault(part, {})[name] = str(ast.literal_eval(value))
    parts = ("global", "install", ":env:")
    return {name: value for part in parts for name, value in found.get(part, {}).items()}


def uv_variables(settings: Mapping[str, str]) -> dict[str, str]:
    """Return pip's settings (mirrors, certificates, proxy) as uv's variables: it reads no others.

    Variables, not arguments: an address may hold a password, and everybody sees arguments.
    """
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
        "timeout": "UV_HTTP_TIMEOUT",
        "cert": "SSL_CERT_FILE",
        "client-cert": "SSL_CLIENT_CERT",
        "proxy": "ALL_PROXY",
    }
    said = {
        uvs: " ".join(settings[name].split()) for name, uvs in names.items() if name in settings
    }
    if "UV_FIND_LINKS" in said:
        said["UV_FIND_LINKS"] = said["UV_FIND_LINKS"].replace(" ", ",")
    for name, uvs in (("no-index", "UV_NO_INDEX"), ("no-cache-dir", "UV_NO_CACHE")):
        if settings.get(name, "").lower() in ("1", "true", "yes", "on"):
            said[uvs] = "1"
    # As pip does: the system's certificates, and whichever index has the file with the hash.
    return {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match", **said}


def _version_of_pip() -> str:
    ended = subprocess.run([*PIP, "--version"], capture_output=True, text=True, check=False)
    return ended.stdout.split()[1] if ended.returncode == 0 else ""


def _pip(lock: Path, *, what: str, began: float) -> None:
    """Run pip on a lock file. Raises CannotInstall."""
    command = [*PIP, *AS_LOCKED, *QUIETLY, "-r", str(lock)]
    if _run(command, stage=lambda: _stage(lock), began=began):
        raise CannotInstall(_why(what=what, lock=lock))


def _run(
    command: Sequence[str],
    *,
    stage: Callable[[], str],
    began: float,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run what installs, tell where it is now and then, and return its exit code."""
    with (
        LOG.open("a") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as running,
    ):
        while running.poll() is None:
            try:
                running.wait(SAYS_SOMETHING_EVERY_S)
            except subprocess.TimeoutExpired:
                _say(f"  {stage()}, {time.monotonic() - began:.0f} s")
    return running.returncode


def _stage(lock: Path) -> str:
    """Return how far pip is: it tells what it fetches, and says nothing while it unpacks."""
    if lock == INSTALLER:
        return "pip itself first"
    said, count = LOG.read_text(errors="replace"), len(pins_of(lock))
    if "Installing collected packages" in said.rpartition("Collecting ")[2]:
        return f"{_unpacked(lock)} unpacked"
    return f"{said.count('Collecting ') + said.count('already satisfied')} of {count} fetched"


def _unpacked(lock: Path) -> str:
    there = len(list(Path(sysconfig.get_path("purelib")).glob("*.dist-info")))
    count = len(pins_of(lock))
    return f"{min(there, count)} of {count}"


def _why(*, what: str, lock: Path) -> str:
    said = LOG.read_text(errors="replace")
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    advice = next((do for sign, do in WHAT_TO_DO if re.search(sign, said)), OTHERWISE)
    advice = advice.format(
        lock=lock.name, python=_shown(Path(sys.executable)), version=sys.version.split()[0]
    )
    # Warnings stand before the error, one a package where a mirror lacks some.
    error = next((at for at, line in enumerate(lines) if line.startswith("ERROR")), 0)
    end = "\n".join(f"    {line[:300]}" for line in lines[error:][-SHOWN_OF_A_FAILURE:])
    return (
        f"Installing {what} failed. The end of what pip said (all of it: {_shown(LOG)}):\n"
        f"{end}\nWhat to do: {advice}"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _shown(file: Path) -> str:
    """Return a path as people write it in the project's folder."""
    return str(file.relative_to(BASE_DIR)) if file.is_relative_to(BASE_DIR) else str(file)


def main(arguments: Sequence[str]) -> int:
    """Install; return 0, or 1 after saying why it failed."""
    what, lock = arguments
    try:
        install(what=what, lock=BASE_DIR / lock)
    except CannotInstall as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("Interrupted. The same command goes on where it was.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
