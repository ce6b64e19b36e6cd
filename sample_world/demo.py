"""Hotswap with the sample world, its providers simulated: ``python -m sample_world.demo``."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from config import supervisor
from config.supervisor import Program, RunMode, free_port


def plan_for(port: int) -> RunMode:
    """Return what ``make demo`` runs; the simulator takes a port beside web's."""
    beside = str(free_port(port + 1))

    def simulator(prepared: Mapping[str, Any]) -> list[Program]:
        command = [sys.executable, "-m", "sample_world.simulator", "--port", beside]
        return [
            Program("simulator", [*command, *prepared["simulator"]], without="No provider answers")
        ]

    return RunMode("demo", [sys.executable, "-m", "sample_world", beside], simulator)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop; return 0, or 1 with a sentence where it could not."""
    return supervisor.main(arguments, plan_for=plan_for)


if __name__ == "__main__":
    sys.exit(main())
