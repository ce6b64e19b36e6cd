"""Make the roll-ups anew from the single samples, or only compare them."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.domain.statistics.figures import counted
from versioning.management.service_command import ServiceCommand
from versioning.services.samples import rollup_rebuild

SHOWN = 20


class Command(ServiceCommand):
    help = (
        "Make the roll-ups anew from the samples that are still kept, or compare them with "
        "--verify (exit 1 where they differ). Do it after you declared a tag, to see its values "
        "in the past too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--verify", action="store_true", help="compare, change nothing")

    def run(self, **options: Any) -> None:
        if not options["verify"]:
            self.stdout.write(f"Made anew: {counted(rollup_rebuild.rebuild(), 'hour')}.")
            return
        found = rollup_rebuild.verify()
        for difference in found.differences[:SHOWN]:
            self.stdout.write(difference.sentence)
        if found.sliced_otherwise:
            periods = counted(found.sliced_otherwise, "period")
            self.stdout.write(
                f"{periods} sliced by the tags that were declared then. "
                "Run without --verify to slice them by today's."
            )
        if found.differences:
            wrong = counted(len(found.differences), "figure")
            raise CommandError(f"{wrong} not as summed. Run without --verify to set it right.")
        periods, samples = counted(found.periods, "period"), counted(found.samples, "sample")
        self.stdout.write(f"Checked, and right: {periods} of {samples}.")
