from django.apps import AppConfig


class VersioningConfig(AppConfig):
    name = "versioning"
    verbose_name = "Versions"

    def ready(self) -> None:
        from providers.http import guard
        from versioning import tasks
        from versioning.services import generation, nudges, plugins, seals, transactions

        plugins.take_scorers()
        generation.watch()
        seals.watch()
        guard.never_while(transactions.is_open)
        nudges.send_by(nudges.Nudge.ASK, tasks.carry_on.delay)
        nudges.send_by(nudges.Nudge.CARRY_ON, tasks.carry_on.delay)
        nudges.send_by(nudges.Nudge.DELIVER, tasks.deliver_events.delay)
