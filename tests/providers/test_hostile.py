"""Whatever a provider does, a check of it ends in time, says so truly, and harms nothing."""

import contextlib
import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from providers.models import Provider
from tests.factories import ProviderFactory, tracked
from tests.providers.hostile.behaviours import HOSTILE, MIB, Hostile
from tests.providers.hostile.server import GOOD, HostileServer, listing, reply, serving
from versioning.models import CatalogueEntry, TrackedModel, UpgradeRecord

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

MOST_MEMORY = 100 * MIB
# For what surrounds asking: the database, and a machine that has others to run, too.
SLACK_S = 2.0
LIGHT = {
    group: [each for each in behaviours if not each.heavy] for group, behaviours in HOSTILE.items()
}
# One for each thing that bounds them; the others run with -m slow.
OFTEN = {
    "sends a bomb in a bomb",
    "sends an error without end",
    "redirects with a body without end",
    "lists millions of empty objects",
    "describes a model in millions of signs",
    "has large pages without end",
}
HEAVY = [
    pytest.param(each, id=each.name, marks=() if each.name in OFTEN else pytest.mark.slow)
    for behaviours in HOSTILE.values()
    for each in behaviours
    if each.heavy
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What one check said, how long it took and how much memory all of them took more."""

    said: dict[str, Any]
    more_memory: int

    @property
    def told(self) -> str:
        return f"{self.said['error_kind'] or self.said['state']}: {self.said['error']}"


def check() -> dict[str, Asked]:
    """Ask all providers by the command that people have for it."""
    before, told = begin_to_measure(), StringIO()
    with contextlib.suppress(SystemExit):
        call_command("check_providers", "--json", stdout=told)
    more = _of_this_process("VmHWM") - before
    return {said["provider"]: Asked(said, more) for said in json.loads(told.getvalue())}


def begin_to_measure() -> int:
    """Forget the most memory that this process ever took, and return what it takes now."""
    gc.collect()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _of_this_process("VmRSS")


def _of_this_process(name: str) -> int:
    """Return bytes; 0 where the system doesn't tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


@contextlib.contextmanager
def providers_that(behaviours: Sequence[Hostile]) -> Iterator[dict[str, HostileServer]]:
    """Set a server and a provider up for each behaviour; the servers answer well so far."""
    with contextlib.ExitStack() as stack:
        servers = {
            f"hostile-{number}": stack.enter_context(contextlib.contextmanager(serving)())
            for number, _ in enumerate(behaviours)
        }
        for slug, server in servers.items():
            provider = ProviderFactory(slug=slug, kind="openrouter", base_url=f"{server.url}/v1")
            tracked(provider=provider, name="writer", upstream_id="acme/zeta-1")
        yield servers


def behaves_as_told(behaviours: Sequence[Hostile], settings: Any) -> None:
    """Let providers be good, then hostile, then good: each is called what it is, and no more."""
    with providers_that(behaviours) as servers:
        assert {asked.told for asked in check().values()} == {"changed: "}
        before = what_is_known()
        usual = settings.HOTSWAP
        total_s = max(each.total_s for each in behaviours)
        settings.HOTSWAP = {
            **usual,
            "HTTP_CONNECT_SECONDS": 0.3,
            "HTTP_READ_SECONDS": total_s / 2,
            "HTTP_TOTAL_SECONDS": total_s,
        }
        hostile = dict(zip(servers, behaviours, strict=True))
        for slug, each in hostile.items():
            Provider.objects.filter(slug=slug).update(timeout_seconds=None)
            servers[slug].behaviour = each.behave
            if each.tls:
                url = servers[slug].url.replace("http:", "https:")
                Provider.objects.filter(slug=slug).update(base_url=f"{url}/v1")
        asked = check()
        wrong = [w for slug, each in hostile.items() if (w := problem(each, asked[slug], total_s))]
        assert not wrong, "\n".join(wrong)
        assert what_is_known() == before

        settings.HOTSWAP = usual
        for slug, server in servers.items():
            Provider.objects.filter(slug=slug).update(base_url=f"{server.url}/v1")
            server.behaviour = lambda wire: wire.send(reply(listing()))
        assert {a.said["error_kind"] for a in check().values()} == {""}
        assert what_is_known() == before


def problem(hostile: Hostile, asked: Asked, total_s: float) -> str:
    """Return what is wrong with a check; empty where nothing is."""
    head = f"A provider that {hostile.name}"
    is_called = (
        asked.told in {"changed: ", "unchanged: "}
        if hostile.called == "believed"
        else asked.told.startswith(f"{hostile.called}: ") and hostile.says in asked.told
    )
    if not is_called:
        return f"{head} is called {asked.told}, not {hostile.called}: {hostile.says}"
    if asked.said["duration_ms"] > (total_s + SLACK_S) * 1000:
        return f"{head} took {asked.said['duration_ms']} ms."
    if asked.more_memory > MOST_MEMORY:
        return f"{head} took {asked.more_memory / MIB:.0f} MiB more."
    return ""


def what_is_known() -> dict[str, Any]:
    """Return what no hostile answer may change: who is listed, what is used and recommended."""
    good = CatalogueEntry.objects.filter(upstream_id__in=[model["id"] for model in GOOD])
    return {
        "listed": list(good.filter(missing_since=None).order_by("pk").values("pk", "revision")),
        "missing": list(good.exclude(missing_since=None).values()),
        "used": list(TrackedModel.objects.order_by("pk").values("pk", "current_version")),
        "records": list(UpgradeRecord.objects.order_by("pk").values("pk", "state")),
    }


@pytest.mark.parametrize("group", LIGHT)
def test_a_hostile_provider_is_called_what_it_is_and_harms_nothing(
    group: str, settings: Any
) -> None:
    behaves_as_told(LIGHT[group], settings)


@pytest.mark.parametrize("hostile", HEAVY)
def test_a_provider_that(hostile: Hostile, settings: Any) -> None:
    behaves_as_told([hostile], settings)


def test_there_are_enough_of_them() -> None:
    names = [each.name for behaviours in HOSTILE.values() for each in behaviours]
    assert len(set(names)) == len(names) >= 40
