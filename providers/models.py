"""The providers that a team uses: where they are, and which variable holds the key."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from providers import registry
from providers.base import Adapter, Connection, ProviderError

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,}|[A-Z0-9]{32,}")
_SECRET_OPTION = re.compile(r"key|token|secret|password", re.IGNORECASE)
PRICE_OPTIONS = ("input_price", "output_price")
"""USD per million tokens of every model whose price the provider does not list."""
_MOST_PRICE = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What came of asking a provider for its list once. ``ms`` is how long it took."""

    ok: bool
    sentence: str
    model_count: int
    ms: int


def check_variable_name(value: str) -> None:
    """Raise ValidationError unless the value can be a variable's name, and isn't a key itself."""
    if not _VARIABLE.fullmatch(value) or _KEY.fullmatch(value):
        # The value is not repeated: it may be the key.
        raise ValidationError(
            "Write the name of the environment variable, such as OPENAI_API_KEY (capital letters,"
            " digits and underscores), never the key itself.",
            code="not_a_variable",
        )


def check_options(value: Any) -> None:
    """Raise ValidationError unless the value maps texts to texts and holds no key."""
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) for pair in value.items() for text in pair
    ):
        raise ValidationError(
            'Options are pairs of texts, such as {"region": "eu-central-1"}.', code="not_texts"
        )
    for name in value:
        if _SECRET_OPTION.search(name) and not name.endswith("_env"):
            raise ValidationError(
                f"{name}: keys belong in the environment; name their variable in an option that"
                " ends in _env.",
                code="secret",
            )
    for name in PRICE_OPTIONS:
        if name in value and _price(value[name]) is None:
            raise ValidationError(
                f"{name}: write USD per million tokens, such as 0.25; 0 for a server of your own.",
                code="not_a_price",
            )


def _price(text: str) -> Decimal | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= _MOST_PRICE else None


class Provider(models.Model):
    """A service that lists and serves models, or a catalogue that knows facts about them."""

    slug = models.SlugField(
        unique=True,
        help_text="Short name in addresses and commands, such as openrouter. Applications use"
        " it, so keep it once models are tracked.",
    )
    name = models.CharField(
        max_length=100, help_text="What people call it, such as OpenRouter or GPU server Prague."
    )
    kind = models.CharField(
        max_length=40,
        choices=registry.kinds,
        help_text="How to speak to it. vLLM, llama.cpp, Groq, Together and most others take the"
        " OpenAI kind with their own base URL.",
    )
    base_url = models.CharField(
        "base URL",
        max_length=500,
        blank=True,
        help_text="Where its API starts, such as http://127.0.0.1:8000/v1. Leave it empty for"
        " the provider's own public address.",
    )
    api_key_env = models.CharField(
        "key's environment variable",
        max_length=128,
        blank=True,
        validators=[check_variable_name],
        help_text="The name of the environment variable with the key, such as OPENAI_API_KEY."
        " The key itself is never stored. Leave it empty where no key is needed.",
    )
    options = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_options],
        help_text='What else the kind needs, such as {"region": "eu-central-1"} for Bedrock or'
        ' {"api_version": "2024-10-21"} for Azure. {"input_price": "0.15", "output_price": "0.60"}'
        " are USD per million tokens of models that it lists without a price. Leave it as {}"
        " otherwise.",
    )
    enabled = models.BooleanField(
        default=True,
        help_text="Ask it in every check. Switch it off to keep its models without asking.",
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text="The longest that listing its models may take, in seconds. Leave it empty for"
        " the usual limit; raise it for a slow server of your own.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(timeout_seconds__isnull=True)
                | models.Q(timeout_seconds__range=(1, 3600)),
                name="provider_timeout_from_1_to_3600",
                violation_error_message="The time limit is from 1 to 3600 seconds.",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.slug

    def clean(self) -> None:
        """Raise ValidationError with a message for each field that can't work together."""
        try:
            adapter = registry.adapter_class(self.kind)
        except registry.UnknownKind as error:
            raise ValidationError({"kind": str(error)}) from error
        problem = _problem_of_address(self.base_url, adapter)
        if problem:
            raise ValidationError({"base_url": problem})

    def connection(self) -> Connection:
        """Return how to reach it, with the key that its variable holds now (empty if unset)."""
        adapter = registry.adapter_class(self.kind)
        key = os.environ.get(self.api_key_env, "") if self.api_key_env else ""
        return Connection(
            base_url=self.base_url or adapter.default_base_url,
            api_key=key.strip(),
            key_variable=self.api_key_env,
            options=dict(self.options),
            timeout_s=self.timeout_seconds,
        )

    def adapter(self) -> Adapter:
        """Return the adapter that asks it.

        Raises UnknownKind for a kind that is gone, Refused for a key that can't be one.
        """
        return registry.adapter_class(self.kind)(self.connection())

    def usual_prices(self) -> dict[str, Decimal]:
        """Return what its options say that models cost whose price it does not list.

        USD per million tokens by field name; what no option says is left out.
        """
        said = {name: self.options[name] for name in PRICE_OPTIONS if name in self.options}
        prices = {name: _price(text) for name, text in said.items()}
        return {name: price for name, price in prices.items() if price is not None}

    def test_connection(self, *, at: datetime) -> ConnectionTest:
        """Ask it for its list once, and say what came of it; nothing is stored."""
        started = time.monotonic()
        count = 0
        try:
            listing = self.adapter().list_models(at=at)
        except (ProviderError, registry.UnknownKind) as error:
            ok, sentence = False, str(error)
        else:
            ok, count = True, len(listing.models)
            sentence = _say_listed(count, len(listing.dropped))
        ms = round((time.monotonic() - started) * 1000)
        return ConnectionTest(ok=ok, sentence=sentence, model_count=count, ms=ms)


def _say_listed(count: int, dropped: int) -> str:
    unread = f", and {dropped} more that could not be read" if dropped else ""
    return (
        f"It lists {count} model{'' if count == 1 else 's'}{unread}."
        " A listed model is not always one that this key may call."
    )


def _problem_of_address(base_url: str, adapter: type[Adapter]) -> str:
    """Return what is wrong with the base URL, empty if nothing is."""
    if not base_url:
        if adapter.default_base_url or not adapter.needs_address:
            return ""
        return "This kind has no public address: set the base URL."
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        return "This is not an address. Write one such as https://api.example.com/v1."
    if parts.scheme == "file" and adapter.reads_files:
        return "" if parts.path and not parts.netloc else "Write a file as file:///folder/name."
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in base_url:
        return "Write an address that starts with http:// or https://."
    if "@" in parts.netloc:
        return "Leave user and password out: keys come from the environment variable."
    if parts.query or parts.fragment:
        return "Leave out everything from ? or # on: what else is needed goes into the options."
    return ""
