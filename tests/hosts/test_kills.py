"""A hundred SIGKILLs of web, worker, beat and queue under load.

``pytest -m slow -rP tests/hosts/test_kills.py``; -rP prints the figures.

HOTSWAP_KILLS says how many, as in tests/kills, where one worker dies at each place of its work.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress

import pytest

from tests.hosts import laws
from tests.hosts.cluster import HOTSWAP, Cluster
from tests.hosts.load import Load
from tests.hosts.network import wait_until

KILLS = int(os.environ.get("HOTSWAP_KILLS", "100"))
SEED = 20_261_129
PAUSE_S = (0.5, 3.0)
"""Between two: a web machine needs a few seconds to come back."""

QUEUE_SHARE = 0.1


@pytest.mark.slow
def test_what_was_promised_is_kept_through_a_hundred_kills(cluster: Cluster, load: Load) -> None:
    dice = random.Random(SEED)
    killed: Counter[str] = Counter()
    while killed.total() < KILLS:
        name = "queue" if dice.random() < QUEUE_SHARE else dice.choice(HOTSWAP)
        if dice.random() < 0.5:
            cluster.hosts[name].kill()
            killed[f"{name}, all of it"] += 1
        else:  # one of its processes: master or child, whichever it is
            alive = cluster.hosts[name].processes()  # none: it has ended since it was started
            with suppress(ProcessLookupError, IndexError):
                os.kill(dice.choice(alive), signal.SIGKILL)
                killed[f"{name}, one process"] += 1
        time.sleep(0.1)
        cluster.start_what_ended()
        time.sleep(dice.uniform(*PAUSE_S))
    cluster.heal()

    def all_went_out() -> bool:
        laws.let_leases_end(cluster)
        time.sleep(1)
        return not laws.waiting(cluster)

    load.stop()
    wait_until(all_went_out, "all deliveries", within_s=120)
    took = Counter(each.status for each in load.answers)
    told = len({each.headers["webhook-id"] for each in cluster.taker.received})
    again = len(cluster.taker.received) - told
    sys.stdout.write(
        f"{sum(killed.values())} kills: {dict(sorted(killed.items()))}\n"
        f"{len(load.accepted)} samples accepted, {sum(map(len, load.moved.values()))} moves, "
        f"{told} events delivered, {again} of them more than once\n"
        f"answers by status, 0 is none: {dict(took)}\n"
    )
