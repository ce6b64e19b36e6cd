"""What becomes of requests, samples, moves, deliveries and checks when machines fail.

``pytest -m slow tests/hosts``: ten hosts on this machine. After each test all that was promised
until then is held against the tables (laws.py).
"""

import time

import pytest

from tests.hosts import laws
from tests.hosts.cluster import LOST_AFTER_S, MODELS, UPSTREAM, Cluster
from tests.hosts.load import Load
from tests.hosts.network import wait_until

pytestmark = pytest.mark.slow

LONGER_S = 2.5 * LOST_AFTER_S
"""Than any time limit of a connection, so that each comes to its end."""

LEASE_S = 50.0
"""Of a delivery to a webhook."""

SOON_S = 3.0 * LOST_AFTER_S
"""For connections to be given up and made anew."""


def goes_on(load: Load, web: str) -> None:
    """The machine takes requests from now on."""
    began = time.monotonic()
    wait_until(
        lambda: any(each.status == 200 for each in load.since(began, web=web)),
        f"{web}'s answers",
        within_s=SOON_S,
    )


@pytest.mark.parametrize("way", ["both ways", "from the database"])
def test_a_web_machine_without_its_database_says_so_and_comes_back(
    cluster: Cluster, load: Load, way: str
) -> None:
    web, database = cluster.hosts["web1"], cluster.hosts["database"]
    goes_on(load, "web1")
    database.stop_sending_to(web)
    if way == "both ways":
        web.stop_sending_to(database)
    began = time.monotonic()

    wait_until(lambda: cluster.status("web1", "/readyz") == 503, "unready", within_s=SOON_S)
    time.sleep(max(0.0, began + LONGER_S - time.monotonic()))

    assert cluster.status("web1", "/livez") == 200
    cut_off = [each for each in load.since(began, web="web1") if each.status != 200]
    assert cut_off, "nothing was asked of it"
    assert {each.status for each in cut_off} == {503}, "its database is away, and it says so"
    # 409 for a minute: the other machine may have begun it, and can't say how it ended.
    assert 200 in {each.status for each in load.since(began, web="web2")} <= {200, 409}

    cluster.network.mend()
    goes_on(load, "web1")


def test_without_a_queue_requests_are_answered_and_work_goes_on_afterwards(
    cluster: Cluster, load: Load
) -> None:
    queue = cluster.hosts["queue"]
    for name in ("web1", "web2", "worker1", "worker2", "beat1", "beat2"):
        cluster.network.cut(cluster.hosts[name], queue)
    began = time.monotonic()
    time.sleep(LONGER_S)

    answers = load.since(began)
    assert {each.status for each in answers} == {200}
    assert max(each.took_s for each in answers) < LOST_AFTER_S

    cluster.network.mend()
    taken = len(cluster.taker.received)
    # By then Celery lets eight seconds pass between two tries to reach its queue.
    wait_until(lambda: len(cluster.taker.received) > taken + 5, "deliveries", within_s=2 * SOON_S)


def test_workers_lose_their_database_in_the_middle_of_work(cluster: Cluster, load: Load) -> None:
    workers = [cluster.hosts[name] for name in ("worker1", "worker2")]
    taken = len(cluster.taker.received)
    cluster.taker.takes_s = 0.5
    wait_until(lambda: len(cluster.taker.received) > taken, "a delivery under way")
    for worker in workers:
        cluster.network.cut(worker, cluster.hosts["database"])
    time.sleep(LONGER_S)

    cluster.heal()
    laws.let_leases_end(cluster)
    taken = len(cluster.taker.received)
    wait_until(lambda: len(cluster.taker.received) > taken + 5, "deliveries", within_s=SOON_S)
    laws.let_leases_end(cluster)


def test_a_slow_cable_that_loses_packets_slows_and_loses_nothing(
    cluster: Cluster, load: Load
) -> None:
    cables = [cluster.hosts[name].cable for name in ("web2", "worker2")]
    for cable in cables:
        assert cable is not None
        cable.be(delay_s=0.15, loss=0.03)
    began = time.monotonic()
    time.sleep(LONGER_S)

    assert {each.status for each in load.since(began, web="web1")} == {200}
    assert 200 in {each.status for each in load.since(began, web="web2")}
    assert {each.status for each in load.since(began, web="web2")} <= {200, 503, 0}


def test_hosts_that_lose_their_power_come_back(cluster: Cluster, load: Load) -> None:
    names = ("queue", "web1", "worker1", "beat1")
    for name in names:
        cluster.hosts[name].kill()
    began = time.monotonic()
    time.sleep(LOST_AFTER_S)
    assert 200 in {each.status for each in load.since(began, web="web2")}

    cluster.hosts["database"].kill()
    for name in ("database", *names):
        cluster.start(name)
    for web in ("web1", "web2"):
        goes_on(load, web)
    laws.let_leases_end(cluster)
    taken = len(cluster.taker.received)
    wait_until(lambda: len(cluster.taker.received) > taken + 5, "deliveries")


def test_what_dead_workers_had_in_their_hands_goes_out_soon(cluster: Cluster, load: Load) -> None:
    workers = ("worker1", "worker2")
    cluster.taker.takes_s = 5.0
    wait_until(lambda: laws.held(cluster), "a delivery under way")
    for name in workers:
        cluster.hosts[name].kill()
    held = laws.held(cluster)
    assert held, "they died with something in their hands"
    cluster.taker.takes_s = 0.0
    for name in workers:
        cluster.start(name)

    def went_out() -> bool:
        return not laws.pending(cluster, held)

    # Beside the lease: the workers start, and do first what the beats sent meanwhile.
    wait_until(
        went_out,
        "what they held",
        within_s=LEASE_S + 120,
        or_say=lambda: laws.said_of(cluster, held),
    )


HOLDS_A_LOCK = """
import django, time
django.setup()
from django.db import transaction
from versioning.models import TrackedModel
with transaction.atomic():
    TrackedModel.objects.select_for_update().get(name="alpha")
    print("holds", flush=True)
    time.sleep(1000)
"""


def test_what_a_vanished_host_had_locked_is_free_soon(cluster: Cluster, load: Load) -> None:
    host = cluster.hosts["worker1"]
    output = cluster.run_on("worker1", HOLDS_A_LOCK)
    wait_until(lambda: "holds" in output.read_text(), "the lock")
    host.unplug()
    moved = len(load.moved["alpha"])

    wait_until(lambda: len(load.moved["alpha"]) > moved + 1, "moves", within_s=SOON_S)

    host.kill()
    host.plug_in()
    cluster.start("worker1")
    laws.let_leases_end(cluster)


def test_clocks_that_are_two_minutes_off_change_nothing(cluster: Cluster, load: Load) -> None:
    cluster.clocks |= {"web2": "+120", "worker2": "-120", "worker1": "+120"}
    cluster.restart(*cluster.clocks)
    goes_on(load, "web2")
    began = time.monotonic()
    time.sleep(LONGER_S)

    assert {each.status for each in load.since(began)} == {200}


def test_a_stop_loses_no_request_and_no_task(cluster: Cluster, load: Load) -> None:
    began = time.monotonic()
    assert cluster.restart("web1", "worker1", "beat1") == [0, 0, 0]
    goes_on(load, "web1")

    lost = [each for each in load.since(began) if each.status != 200]
    assert not lost
    # None is left in the hands of the worker that ended, until its lease is over.
    wait_until(lambda: not laws.held(cluster), "what was under way", within_s=SOON_S)


def test_models_are_where_applications_moved_them(cluster: Cluster, load: Load) -> None:
    """With all machines well, and two beats at once."""
    wait_until(lambda: all(len(load.moved[name]) > 3 for name in MODELS), "moves")
    for name in MODELS:
        status, said = cluster.ask("web1", f"/api/model-versions/sim/{name}/current")
        assert status == 200
        assert said["version"]["upstream_id"] in {each.format(name) for each in UPSTREAM}
