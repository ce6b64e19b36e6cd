"""Track a model under the stable name that applications ask for."""

from typing import Any

from django.core.management.base import CommandParser

from providers.models import Provider
from versioning.management.service_command import ServiceCommand
from versioning.services import clock, tracking
from versioning.services.actors import Actor
from versioning.services.checks import listed_models
from versioning.services.errors import NotFound


class Command(ServiceCommand):
    help = "Track a model, such as: track openrouter qwen/qwen-2.5-7b-instruct"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", help="the provider's short name")
        parser.add_argument("model", help="its id at the provider, or the end after a slash")
        parser.add_argument("--name", default="", help="the stable name; default: the id's end")
        parser.add_argument(
            "--unlisted",
            action="store_true",
            help="track it although the provider doesn't list it, such as a deployment's name",
        )
        parser.add_argument("--owner", default="", help="e-mail that hears of retirement dates")

    def run(self, **options: Any) -> None:
        now, actor = clock.now(), Actor.command()
        provider = Provider.objects.filter(slug=options["provider"]).first()
        if provider is None:
            known = ", ".join(Provider.objects.order_by("slug").values_list("slug", flat=True))
            raise NotFound(f"There is no provider {options['provider']}. Known: {known or 'none'}.")
        upstream_id = options["model"]
        if not options["unlisted"]:
            upstream_id = listed_models.find_listed(
                provider=provider, text=upstream_id, asked_by=actor.name, now=now
            ).upstream_id
        tracked = tracking.start_tracking(
            provider_id=provider.pk,
            name=options["name"] or listed_models.default_name(upstream_id),
            upstream_id=upstream_id,
            owner=options["owner"],
            actor=actor,
            now=now,
        )
        self.stdout.write(f"Tracking {tracked}, version 1.0.0 is {upstream_id}.")
