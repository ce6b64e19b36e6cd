from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class VersioningConfig(AppConfig):
    name = "versioning"
    verbose_name = _("Versions")

    def ready(self) -> None:
        from providers.http import guard
        from versioning import checks, tasks  # noqa: F401  (registers the checks)
        from versioning.models import names
        from versioning.services import (
            generation,
            new_connections,
            nudges,
            plugins,
            seals,
            transactions,
        )

        names.translate(apps.get_models())
        plugins.take_scorers()
        generation.watch()
        new_connections.watch()
        seals.watch()
        guard.never_while(transactions.is_open)
        nudges.send_by(nudges.Nudge.ASK, tasks.carry_on.delay)
        nudges.send_by(nudges.Nudge.CARRY_ON, tasks.carry_on.delay)
        nudges.send_by(nudges.Nudge.DELIVER, tasks.deliver_events.delay)
