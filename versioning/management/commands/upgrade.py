"""Move a tracked model to another version."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from versioning.management.service_command import ServiceCommand
from versioning.services import serving
from versioning.services.actors import Actor
from versioning.services.errors import NotFound
from versioning.services.upgrades import rollout, upgrading


class Command(ServiceCommand):
    help = (
        "Approve the upgrade that is recommended for a model; with --to take that version; with "
        "--min-quality-improvement only if the evidence shows at least so much."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="the provider's short name")
        parser.add_argument("model", help="the tracked model's name")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--to", metavar="LABEL", help="the version to move to, such as 1.1.0")
        how.add_argument(
            "--min-quality-improvement", metavar="X", help="a fraction; 0.1 means 10 %% better"
        )
        parser.add_argument("--reason", default="", help="kept in the history")

    def run(self, **options: Any) -> None:
        if options["min_quality_improvement"] is not None:
            self._upgrade_if_better(**options)
            return
        now, actor = timezone.now(), Actor.command()
        tracked = serving.tracked_model(provider=options["provider"], name=options["model"])
        if options["to"]:
            version = tracked.versions.filter(label=options["to"]).first()
            if version is None:
                labels = ", ".join(tracked.versions.order_by("pk").values_list("label", flat=True))
                raise NotFound(f"{tracked} has no version {options['to']}. Known: {labels}.")
            record = rollout.request_upgrade(
                tracked_model_id=tracked.pk,
                to_version_id=version.pk,
                actor=actor,
                now=now,
                reason=options["reason"],
            )
        else:
            waiting = tracked.upgrades.waiting().order_by("-pk").first()
            if waiting is None:
                raise NotFound(f"No upgrade of {tracked} is recommended.")
            record = rollout.approve(
                record_id=waiting.pk, actor=actor, now=now, reason=options["reason"]
            )
        self.stdout.write(f"{tracked}: {record.get_state_display()} {record.to_version.label}.")

    def _upgrade_if_better(self, **options: Any) -> None:
        result = upgrading.auto_upgrade(
            provider=options["provider"],
            model=options["model"],
            min_quality_improvement=options["min_quality_improvement"],
            actor=Actor.command(),
            now=timezone.now(),
        )
        if not result.upgraded:
            raise CommandError(f"Stays at {result.version}: {result.waits_for}")
        self.stdout.write(f"Upgraded to {result.version}.")
