"""Ask the providers now: what is new, what changed, what retires."""

import json
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from versioning.domain.statistics.figures import counted
from versioning.management.service_command import ServiceCommand
from versioning.models import Check
from versioning.services import clock
from versioning.services.checks import detection


class Command(ServiceCommand):
    help = "Ask the providers now. Exit code: 0 all answered, 1 some failed, 2 wrong use."
    error_code: ClassVar[int] = 2

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--provider", action="append", metavar="SLUG", help="only this one; may be repeated"
        )
        parser.add_argument("--json", action="store_true", help="print JSON, one list")

    def run(self, **options: Any) -> None:
        checks = detection.run_checks(
            provider_slugs=options["provider"],
            trigger=Check.Trigger.COMMAND,
            asked_by="command line",
            now=clock.now(),
            on_result=self._show_progress if self.stderr.isatty() else None,
        )
        checks.sort(key=lambda check: check.provider.slug)
        if options["json"]:
            self.stdout.write(json.dumps([_as_dict(check) for check in checks], indent=2))
        else:
            for check in checks:
                self.stdout.write(_as_line(check))
        if not checks:
            self.progress("No provider was asked: none is enabled, or all are being asked now.")
        if any(check.state == Check.State.FAILED for check in checks):
            raise SystemExit(1)

    def _show_progress(self, check: Check) -> None:
        self.progress(f"{check.provider.slug}: {check.get_state_display()}")


def _as_line(check: Check) -> str:
    head = f"{check.provider.slug:<16} {check.get_state_display():<12}"
    if check.state == Check.State.FAILED:
        return f"{head} {check.get_error_kind_display()}: {check.error}"
    counts = {
        "new": check.added,
        "changed": check.changed,
        "missing": check.missing,
        "unreadable": check.dropped,
        "recommended": check.recommended,
    }
    news = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    listed = counted(check.listed, "model")
    return f"{head} {listed}{f': {news}' if news else ''} ({check.duration_ms} ms)"


def _as_dict(check: Check) -> dict[str, Any]:
    return {
        "provider": check.provider.slug,
        "state": check.state,
        "listed": check.listed,
        "added": check.added,
        "changed": check.changed,
        "missing": check.missing,
        "dropped": check.dropped,
        "recommended": check.recommended,
        "duration_ms": check.duration_ms,
        "error_kind": check.error_kind,
        "error": check.error,
    }
