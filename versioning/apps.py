from django.apps import AppConfig


class VersioningConfig(AppConfig):
    name = "versioning"
    verbose_name = "Versions"

    def ready(self) -> None:
        from providers.http import guard
        from versioning import system_checks  # noqa: F401  (registers the checks)
        from versioning.services import generation, transactions

        generation.watch()
        guard.never_while(transactions.is_open)
