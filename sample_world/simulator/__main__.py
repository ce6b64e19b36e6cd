"""Run the simulator by itself: ``python -m sample_world.simulator --port 9100``."""

import argparse
import signal
import sys
import threading
from datetime import date
from types import FrameType

from sample_world.simulator.server import KEY, Simulator
from sample_world.simulator.voices import VOICES


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; return 0, or 2 where the port is taken."""
    options = _parser().parse_args(arguments)
    try:
        simulator = Simulator(
            port=options.port,
            day=options.day,
            start=options.start,
            keys=options.key or [KEY],
            page_size=options.page_size,
            latency_ms=options.latency_ms,
        )
    except OSError as error:
        sys.stderr.write(f"Port {options.port} can't be used ({error.strerror}): name another.\n")
        return 2

    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this handler interrupts, so another thread calls it.
        threading.Thread(target=simulator.stop).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.write(f"Simulated providers, day {simulator.day}:\n")
    sys.stdout.writelines(f"  {kind:<12} {simulator.base_url(kind)}\n" for kind in VOICES)
    sys.stdout.flush()
    simulator.serve()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sample_world.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=9100, help="0 takes a free one")
    parser.add_argument("--day", type=int, default=0, help="simulated day to begin with")
    parser.add_argument(
        "--start",
        type=date.fromisoformat,
        default="2025-01-01",
        metavar="YYYY-MM-DD",
        help="date of day 0; dated ids follow it",
    )
    parser.add_argument("--key", action="append", help=f"a key to take (default {KEY})")
    parser.add_argument("--page-size", type=int, default=100, help="models per page of a listing")
    parser.add_argument("--latency-ms", type=float, default=20.0, help="delay of each chat")
    return parser


if __name__ == "__main__":
    sys.exit(main())
