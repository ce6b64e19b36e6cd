"""`current` with a key against a bare Django JSON view on the same server, over HTTP.

python -m benchmarks.current [--database sqlite|postgres] [--full]
"""

import argparse
import statistics
import sys
import time

from benchmarks import server

CLIENTS = 8
PATH = "/api/model-versions/acme/writer/current"


def main() -> int:
    """Print the figures; return 1 when a ratio is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--full", action="store_true", help="ten times the requests")
    options = parser.parse_args()
    count = 3_000 if options.full else 300
    with server.database(options.database):
        from benchmarks.ingestion import world

        key = world(scopes=["read"])
        with server.gunicorn() as port:
            etag = _etag(port=port, key=key)
            kinds = {
                "bare": server.request("/bare/json"),
                "current": server.request(PATH, key=key),
                "304": server.request(PATH, key=key, headers=[f"If-None-Match: {etag}"]),
            }
            rates: dict[str, list[float]] = {name: [] for name in kinds}
            waits: list[float] = []
            for _ in range(7):  # in turn, so that all meet the same load
                for name, data in kinds.items():
                    began = time.perf_counter()
                    seconds = server.send_all(port=port, requests=[data] * count, clients=CLIENTS)
                    rates[name].append(count / (time.perf_counter() - began))
                    waits += seconds if name == "current" else []
    print(f"{options.database}, {CLIENTS} clients, load average {server.load()}")
    middle = {name: statistics.median(found) for name, found in rates.items()}
    cuts = statistics.quantiles(waits, n=100)
    rows = [
        ("bare view, requests/s", middle["bare"], None),
        ("current / bare view", middle["current"] / middle["bare"], 0.6),
        ("304 / bare view", middle["304"] / middle["bare"], 0.7),
        ("p99 / p50 of current", cuts[98] / cuts[49], -3.0),
    ]
    return server.table(rows)


def _etag(*, port: int, key: str) -> str:
    answer = server.ask(port=port, data=server.request(PATH, key=key)).decode()
    heads = (line.partition(": ") for line in answer.split("\r\n"))
    return next(value for name, _, value in heads if name.lower() == "etag")


if __name__ == "__main__":
    sys.exit(main())
