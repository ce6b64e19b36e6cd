"""``hotswap``, the command: up, one program of it, demo, or manage with what it is to do."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

USAGE = """\
hotswap up       run web, worker and scheduler on this machine (--host, --port)
hotswap web      run web alone (--host, --port), as hotswap worker and hotswap beat do the others:
hotswap worker   on servers, each is a process of its own
hotswap beat
hotswap demo     the same as up with a sample world and simulated providers
hotswap manage   run a management command, such as: hotswap manage check_providers
"""
NO_SAMPLE_WORLD = (
    "The sample world isn't part of the installed package: clone Hotswap's repository, and run "
    "`make demo` in it."
)
SUPERVISOR = Path(__file__).with_name("supervisor.py")


def manage(arguments: Sequence[str]) -> None:
    """Run a management command; a setting that can't be used is one sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(list(arguments))
    except ImproperlyConfigured as error:
        sys.exit(str(error))


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the first argument says; exit with 2 and the usage where it says nothing known."""
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if verb == "manage":
        manage(["hotswap manage", *rest])
    elif verb == "up":
        # It becomes the supervisor, which stays small: it needs neither Django nor Celery.
        os.execv(sys.executable, [sys.executable, "-P", str(SUPERVISOR), *rest])  # noqa: S606
    elif verb in {"web", "worker", "beat"}:
        from config import supervisor

        command = supervisor.command_of(verb, rest)
        os.execv(command[0], list(command))  # noqa: S606
    elif verb == "demo":
        sys.exit(_demo(rest))
    else:
        sys.stderr.write(USAGE)
        sys.exit(0 if verb in {"-h", "--help"} else 2)


def _demo(arguments: Sequence[str]) -> int | str:
    if find_spec("sample_world") is None:
        return NO_SAMPLE_WORLD
    return int(import_module("sample_world.demo").main(arguments))


if __name__ == "__main__":
    main()
