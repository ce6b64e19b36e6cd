"""Add a service that lists and serves models."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from providers import registry
from providers.models import PRICE_OPTIONS
from versioning.management.service_command import ServiceCommand
from versioning.services import tracking
from versioning.services.actors import Actor


class Command(ServiceCommand):
    help = "Add a provider, such as: add_provider local --kind openai --base-url http://gpu:8000/v1"

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = [kind for kind, _ in registry.kinds()]
        parser.add_argument("slug", help="its short name in addresses and commands")
        parser.add_argument("--kind", required=True, choices=kinds, help="how to speak to it")
        parser.add_argument("--base-url", default="", help="default: the kind's public address")
        parser.add_argument(
            "--api-key-env", default="", metavar="NAME", help="the variable that holds its key"
        )
        parser.add_argument("--name", default="", help="what people call it")
        parser.add_argument(
            "--prices",
            nargs=2,
            metavar=("INPUT", "OUTPUT"),
            help="USD per million tokens where it lists none; 0 0 for a server of your own",
        )
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            type=_pair,
            metavar="NAME=VALUE",
            help="what else the kind needs, such as region=eu-central-1",
        )

    def run(self, **options: Any) -> None:
        prices = zip(PRICE_OPTIONS, options["prices"] or (), strict=False)
        provider = tracking.add_provider(
            slug=options["slug"],
            kind=options["kind"],
            base_url=options["base_url"],
            api_key_env=options["api_key_env"],
            name=options["name"],
            options={**dict(options["option"]), **dict(prices)},
            actor=Actor.command(),
        )
        self.stdout.write(
            f"Added {provider.slug}. Next: manage.py check_providers --provider {provider.slug}"
        )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"write NAME=VALUE, not {text}")
    return name, value
