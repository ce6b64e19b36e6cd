"""Make a key with which secrets are encrypted at rest."""

from typing import Any

from cryptography.fernet import Fernet

from versioning.management.service_command import ServiceCommand


class Command(ServiceCommand):
    help = "Make a key for HOTSWAP_SECRETS_KEY. It is kept nowhere: put it where keys belong."

    def run(self, **options: Any) -> None:
        self.stdout.write(Fernet.generate_key().decode())
