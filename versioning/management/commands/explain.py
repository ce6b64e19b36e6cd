"""Say what would happen to a model now, and which rule stops it."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import clock, serving
from versioning.services.upgrades import explaining


class Command(ServiceCommand):
    help = "Say what would happen to a tracked model now, rule by rule."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="slug of the provider")
        parser.add_argument("model", help="name of the tracked model")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def run(self, **options: Any) -> None:
        tracked = serving.tracked_model(provider=options["provider"], name=options["model"])
        found = explaining.explain(tracked_model=tracked, at=clock.now())
        if options["json"]:
            record = found.record.pk if found.record else None
            rows = [asdict(row) for row in found.rows]
            said = {"record_id": record, "allowed": found.allowed, "next": found.next}
            self.stdout.write(
                json.dumps({**said, "rules": rows, "notices": found.notices}, indent=2)
            )
            return
        self.stdout.write(f"{found.record}: {found.next}" if found.record else found.next)
        for row in found.rows:
            setter = f"  ({row.set_by})" if row.set_by else ""
            word = "ok    " if row.ok else "stops "
            self.stdout.write(f"  {word} {row.rule:<11} {row.sentence}{setter}")
        for notice in found.notices:
            self.stdout.write(f"  ! {notice}")
