"""What the commands share: errors become one sentence at the terminal."""

from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from providers.checks import PROVIDERS
from versioning.services.errors import Invalid, ServiceError


class ServiceCommand(BaseCommand):
    """A command whose ``run`` calls a service. Errors are said in one sentence each."""

    # Only of what may be amiss on this machine: `manage.py check` also reads through all the code.
    requires_system_checks = (PROVIDERS,)
    error_code: ClassVar[int] = 1
    """The exit code where a service refuses."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except ServiceError as error:
            raise CommandError(_sentences(error), returncode=self.error_code) from error
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(
                f"The database can't be used ({' '.join(str(error).split())}). Is it up, and are "
                "its tables there? manage.py prepare makes them, and so does make up.",
                returncode=self.error_code,
            ) from error

    def run(self, **options: Any) -> None:
        raise NotImplementedError

    def progress(self, sentence: str) -> None:
        """Say at once how it goes, beside the output and not as an error, so not in red."""
        self.stderr.write(sentence, str)
        self.stderr.flush()


def _sentences(error: ServiceError) -> str:
    """Return what is wrong, field by field where several are."""
    if isinstance(error, Invalid) and len(error.errors) > 1:
        return "\n".join(f"{each.pointer[1:] or 'all'}: {each.detail}" for each in error.errors)
    return str(error)
