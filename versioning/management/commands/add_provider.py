"""Add a service that lists and serves models, or change one."""

from argparse import ArgumentTypeError
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from providers import registry
from providers.models import PRICE_OPTIONS, Provider
from versioning.management.service_command import ServiceCommand
from versioning.services import providers
from versioning.services.actors import Actor


class Command(ServiceCommand):
    help = (
        "Add a provider, such as: add_provider local --kind openai --base-url http://gpu:8000/v1. "
        "With --update, change one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = [kind for kind, _ in registry.kinds()]
        parser.add_argument("slug", help="its short name in addresses and commands")
        parser.add_argument("--kind", choices=kinds, help="how to speak to it")
        parser.add_argument("--base-url", help="default: the kind's public address")
        parser.add_argument("--api-key-env", metavar="NAME", help="the variable that holds its key")
        parser.add_argument("--name", help="what people call it")
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
            help="what else the kind needs, such as region=eu-central-1; NAME= takes it away",
        )
        parser.add_argument(
            "--update",
            action="store_true",
            help="where there is one of this name, change what is given and keep the rest",
        )

    def run(self, **options: Any) -> None:
        slug = options["slug"]
        prices = zip(PRICE_OPTIONS, options["prices"] or (), strict=False)
        more = {**dict(options["option"]), **dict(prices)}
        fields = ("kind", "base_url", "api_key_env", "name")
        given = {name: options[name] for name in fields if options[name] is not None}
        if options["update"] and providers.exists(slug=slug):
            self._update(slug, given, more)
            return
        if "kind" not in given:
            raise CommandError(f"There is no provider {slug}: say its --kind.", returncode=2)
        provider = providers.add(
            slug=slug,
            options={name: value for name, value in more.items() if value},
            actor=Actor.command(),
            **given,
        )
        self.stdout.write(
            f"Added {provider.slug}. Next: manage.py check_providers --provider {provider.slug}"
        )
        self._tell_of_key(provider)

    def _update(self, slug: str, given: Mapping[str, str], more: Mapping[str, str]) -> None:
        changed = providers.update(slug=slug, changes=given, options=more, actor=Actor.command())
        if not changed.fields:
            self.stdout.write(f"{slug} is unchanged.")
            return
        self.stdout.write(
            f"Changed {', '.join(changed.fields)} of {slug}. "
            f"Next: manage.py check_providers --provider {slug}"
        )
        self._tell_of_key(changed.provider)

    def _tell_of_key(self, provider: Provider) -> None:
        """Say what will fail, now that somebody looks at it."""
        for pair in provider.unreleased_pairs():
            name, where = pair.split(" ")
            self.progress(
                f"The key in {name} is not released for {where}, where it serves another provider: "
                "somebody who may set up releases it on the provider's page, or over the API."
            )
        for name in provider.unset_variables():
            self.progress(f"The environment variable {name} is not set here: set it.")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ArgumentTypeError(f"write NAME=VALUE, not {text}")
    return name, value
