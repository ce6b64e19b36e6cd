"""Encrypt the secrets that are kept under the first key of HOTSWAP_SECRETS_KEY."""

from typing import Any

from versioning.domain.statistics.figures import counted
from versioning.management.service_command import ServiceCommand
from versioning.services import resealing


class Command(ServiceCommand):
    help = (
        "Encrypt all kept secrets under the first key of HOTSWAP_SECRETS_KEY; then the keys behind "
        "it can be taken away."
    )

    def run(self, **options: Any) -> None:
        count = resealing.encrypt_anew()
        self.stdout.write(f"Encrypted under the first key now: {counted(count, 'secret')}.")
