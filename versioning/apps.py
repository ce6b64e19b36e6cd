from django.apps import AppConfig


class VersioningConfig(AppConfig):
    name = "versioning"
    verbose_name = "Versions"

    def ready(self) -> None:
        from versioning import system_checks  # noqa: F401  (registers the checks)
        from versioning.services import generation

        generation.watch()
