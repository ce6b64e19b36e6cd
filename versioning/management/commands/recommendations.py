"""Show which upgrades wait for a decision."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import clock
from versioning.services.upgrades import python_api

UNASKED = " Not asked for directly yet: a worker asks within minutes."


class Command(ServiceCommand):
    help = "Show the upgrades that wait for a decision, urgent ones first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON, one list")

    def run(self, **options: Any) -> None:
        found = python_api.list_recommendations(now=clock.now())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(each) for each in found], default=str, indent=2))
            return
        for each in found:
            word = "recommended" if each.recommended else "to look at"
            self.stdout.write(
                f"{each.record_id:>6}  {each.provider} / {each.model}  "
                f"{each.from_version} → {each.to_version}  {word}: {each.why}. {_legs(each)}"
                f"{UNASKED if each.unasked else ''}"
            )
        if not found:
            self.stdout.write("Nothing waits for a decision.")


def _legs(found: python_api.Recommendation) -> str:
    """Say what the evidence rests on, and what is missing."""
    rests = f"It rests on {' and '.join(found.rests_on) or 'nothing yet'}"
    return f"{rests}; missing: {' and '.join(found.missing)}." if found.missing else f"{rests}."
