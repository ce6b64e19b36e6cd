"""What must hold of a cluster, whatever is done to it: by its tables, and by what its taker got."""

import json
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from tests.hosts.cluster import Cluster
from tests.hosts.load import Load
from tests.hosts.network import wait_until

TABLES = """
import django, json
django.setup()
from tests.outbox import each_step_is_told_once
from versioning.models import Event, PerformanceSample, TrackedModel, UpgradeRecord, UpgradeStep
from versioning.services import seals
from versioning.services.samples import rollup_rebuild
each_step_is_told_once()
seals.chain()
sums = rollup_rebuild.verify()
moves = UpgradeStep.objects.filter(after="completed").order_by("pk")
models = TrackedModel.objects.all()
hashes = PerformanceSample.objects.values_list("request_hash", flat=True)
print(json.dumps({
    "samples": [len(hashes), len(set(hashes))],
    "summed": [sums.samples, [each.sentence for each in sums.differences][:3]],
    "moves": [[m, to] for m, to in moves.values_list(
        "record__tracked_model__name", "record__to_version__upstream_id")],
    "current": dict(models.values_list("name", "current_version__upstream_id")),
    "under_way": UpgradeRecord.objects.filter(
        state__in=["approved", "testing", "canary"]).count(),
    "fault": seals.verify().fault,
    "events": [[pk, name or ""] for pk, name in
        Event.objects.order_by("pk").values_list("pk", "tracked_model__name")],
}))
"""


LONGEST_GAP_S = 60 + 2 * 120
"""Between two checks of what is due each minute, some of which come while all is cut off."""


def hold(cluster: Cluster, load: Load) -> None:
    """Check every law; AssertionError says which is broken. The load has stopped."""
    wait_until(lambda: not waiting(cluster), "all deliveries")
    told = json.loads(cluster.python(TABLES))
    sent = len(load.accepted)
    assert sent, "nothing was sent"
    assert told["samples"] == [sent, sent], "each accepted sample once"
    wait_until(lambda: _parts(cluster) == 0, "the sums of samples")
    assert told["summed"] == [sent, []], "the sums are those of the samples"
    moves = defaultdict(list)
    for name, to in told["moves"]:
        moves[name].append(to)
    # The first completion of a model is its beginning, when somebody tracked it.
    assert {name: made[1:] for name, made in moves.items()} == dict(load.moved), "each move once"
    assert told["current"] == {name: made[-1] for name, made in moves.items()}, "law 1"
    assert not told["under_way"], "law 3"
    assert not told["fault"], "law 6"
    _every_event_was_taken_in_order(cluster, told["events"])
    _checks_are_neither_lost_nor_doubled(cluster)


def waiting(cluster: Cluster) -> int:
    """Return how many deliveries have not gone out."""
    pending = "SELECT count(*) FROM versioning_delivery WHERE state = 'pending'"
    return int(cluster.sql(pending)[0][0])


def held(cluster: Cluster) -> list[int]:
    """Return which deliveries are in the hands of a worker, living or dead."""
    query = (
        "SELECT id FROM versioning_delivery d WHERE state = 'pending' AND attempts > 0 "
        "AND (SELECT duration_ms FROM versioning_deliveryattempt WHERE delivery_id = d.id "
        "ORDER BY id DESC LIMIT 1) IS NULL"
    )
    return [pk for (pk,) in cluster.sql(query)]


def pending(cluster: Cluster, deliveries: list[int]) -> int:
    """Return how many of these have not gone out."""
    query = "SELECT count(*) FROM versioning_delivery WHERE state = 'pending' AND id = ANY(%s)"
    return int(cluster.sql(query, deliveries)[0][0])


def said_of(cluster: Cluster, deliveries: list[int]) -> str:
    """Return what their tries came to, for a test that fails."""
    query = (
        "SELECT d.id, d.state, d.attempts, d.due_at - now(), d.last_error, a.began_at - now(), "
        "a.duration_ms, a.error FROM versioning_delivery d "
        "JOIN versioning_deliveryattempt a ON a.delivery_id = d.id WHERE d.id = ANY(%s)"
    )
    return "\n".join(map(str, cluster.sql(query, deliveries)))


def let_leases_end(cluster: Cluster) -> None:
    """Have the minutes pass for which deliveries and checks are those of a dead worker."""
    cluster.sql("UPDATE versioning_delivery SET due_at = now() WHERE state = 'pending'")
    cluster.sql("UPDATE versioning_check SET lease_until = now() WHERE state = 'running'")


def _parts(cluster: Cluster) -> int:
    return int(cluster.sql("SELECT count(*) FROM versioning_rolluppart")[0][0])


def _every_event_was_taken_in_order(cluster: Cluster, events: list[list[Any]]) -> None:
    """At least once, and of one model in the order in which it happened."""
    # Some may have happened since nothing waited: a check goes on finding news.
    what = "every event taken"
    wait_until(
        lambda: {pk for pk, _ in events} <= _first(cluster).keys(),
        what,
        or_say=lambda: str(
            cluster.sql(
                "SELECT e.id, e.kind, d.state, d.attempts, d.due_at - now(), d.last_error "
                "FROM versioning_event e LEFT JOIN versioning_delivery d ON d.event_id = e.id "
                "WHERE NOT e.id = ANY(%s)",
                list(_first(cluster)),
            )
        ),
    )
    first = _first(cluster)
    for _, mine in _by_model(events).items():
        places = [first[pk] for pk in mine]
        assert all(one < other for one, other in pairwise(places)), "in order"


def _first(cluster: Cluster) -> dict[int, int]:
    """Return at which place each event came for the first time."""
    first: dict[int, int] = {}
    for place, received in enumerate(list(cluster.taker.received)):
        first.setdefault(int(received.headers["webhook-id"].rpartition("_")[2]), place)
    return first


def _by_model(events: list[list[Any]]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for pk, name in events:
        found[name].append(pk)
    return found


def _checks_are_neither_lost_nor_doubled(cluster: Cluster) -> None:
    """Each minute has its check, and the provider was asked no more often than that."""
    rows = cluster.sql(
        "SELECT due_at, state, error_kind FROM versioning_check "
        "WHERE due_at IS NOT NULL ORDER BY due_at"
    )
    due = [at for at, _, _ in rows]
    assert len(set(due)) == len(due), "one check for each time"
    ended = {(str(state), str(kind)) for _, state, kind in rows}
    # Broken: its worker died.
    known = {("changed", ""), ("unchanged", ""), ("running", ""), ("failed", "broken")}
    assert ended <= known, ended
    gaps = [(other - one).total_seconds() for one, other in pairwise(due)]
    assert all(gap % 60 == 0 for gap in gaps), gaps
    assert max(gaps, default=60) <= LONGEST_GAP_S, f"checks were missed: {due}"
    seen = cluster.simulator.requests("openrouter")
    asked = [each for each in seen if each.path.endswith("/models")]
    # What a worker died of is asked once more by the one that took it up.
    takes = cluster.sql("SELECT sum(takes) FROM versioning_check")[0][0]
    paths = Counter(each.path for each in asked)
    assert max(paths.values()) <= takes, f"more than once for {takes} takes of checks: {paths}"
