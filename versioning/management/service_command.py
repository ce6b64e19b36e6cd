"""What the commands share: errors of services become one sentence at the terminal."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from versioning.services.errors import ServiceError


class ServiceCommand(BaseCommand):
    """A command whose ``run`` calls a service. Errors are said in one sentence."""

    error_code: ClassVar[int] = 1
    """The exit code where a service refuses."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except ServiceError as error:
            raise CommandError(str(error), returncode=self.error_code) from error

    def run(self, **options: Any) -> None:
        raise NotImplementedError
