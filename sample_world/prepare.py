"""Make the sample world ready for this run."""

import json
import os
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.utils import timezone

from providers.models import Provider
from sample_world import replay, story
from sample_world.simulator.server import KEY
from versioning.management.service_command import ServiceCommand
from versioning.models import Check
from versioning.services import clock


class Command(ServiceCommand):
    help = "Prepare Hotswap as ever, load the sample world unless it is there, say what to start."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("port", type=int, help="where its simulated providers will be")

    def run(self, **options: Any) -> None:
        call_command("prepare")
        prepared = prepare_demo(
            simulator_port=options["port"], now=timezone.now(), say=self.progress
        )
        self.stdout.write(json.dumps(prepared))


def prepare_demo(
    *, simulator_port: int, now: datetime, say: Callable[[str], None]
) -> dict[str, Any]:
    """Load the sample world unless it is there; return what the supervisor needs to know.

    ``say`` hears what takes its time. Raises Invalid where the database is in other use.
    """
    os.environ[story.KEY_VARIABLE] = KEY
    released = sorted({*settings.HOTSWAP["PROVIDER_KEYS"], story.KEY_VARIABLE})
    settings.HOTSWAP["PROVIDER_KEYS"] = released  # of this process; the others get it below
    notes = [
        f"Sign in as {story.USER} with password {story.PASSWORD}",
        "Then take the tour: Tour is the first line of the menu (/admin/tour/)",
    ]
    if not _is_seeded():
        say("Replaying six weeks of the sample world ...")
        seeded = replay.seed(now=now, say=say)
        notes.append(f"API key (shown this once): {seeded.key}")
    _point_at_simulator(simulator_port)
    start = _first_day()
    return {
        "notes": notes,
        "environment": {
            "DJANGO_SETTINGS_MODULE": "sample_world.settings",
            "HOTSWAP_PROVIDER_KEYS": ",".join(released),
            story.KEY_VARIABLE: KEY,
        },
        "simulator": ["--start", f"{start:%F}", "--day", str((clock.utc_day(now) - start).days)],
    }


def _is_seeded() -> bool:
    return Provider.objects.filter(slug=story.BROKEN_TODAY).exists()


def _first_day() -> date:
    """Return the date of day 0, which stays the same for as long as the world is kept."""
    return clock.utc_day(Check.objects.earliest("started_at").started_at)


def _point_at_simulator(port: int) -> None:
    """Give each simulated provider its address of this run; the port may be another one."""
    for provider in Provider.objects.filter(slug__in=[p.slug for p in story.PROVIDERS]):
        parts = urlsplit(provider.base_url)
        if provider.base_url != story.DEAD_ADDRESS and parts.hostname == "127.0.0.1":
            replay.move(provider, to=parts._replace(netloc=f"127.0.0.1:{port}").geturl())
