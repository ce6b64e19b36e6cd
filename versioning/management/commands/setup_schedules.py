"""Install the daily check and the other rows of the schedule."""

from typing import Any

from versioning.management.service_command import ServiceCommand
from versioning.services.checks import schedules


class Command(ServiceCommand):
    help = "Add the rows of the schedule that are missing; what staff changed stays as it is."

    def run(self, **options: Any) -> None:
        added = schedules.install_schedules()
        self.stdout.write(f"Added: {', '.join(added)}." if added else "All rows are there.")
