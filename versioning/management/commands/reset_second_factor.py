"""Take the second factor of somebody away who has lost it."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from versioning.management.service_command import ServiceCommand
from versioning.services import clock, lookups, second_factors
from versioning.services.actors import Actor


class Command(ServiceCommand):
    help = "Take a person's second factor away, who has lost it; they are told by e-mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name they sign in with")
        parser.add_argument("--reason", required=True, help="kept in the history")

    def run(self, **options: Any) -> None:
        name = options["name"]
        people = User.objects.select_related("second_factor").filter(username=name)
        user = lookups.one(people, missing=f"There is nobody called {name}.")
        second_factors.reset(
            user=user, reason=options["reason"], actor=Actor.command(), now=clock.now()
        )
        self.stdout.write(f"{name} has no second factor any more.")
