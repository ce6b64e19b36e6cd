"""The providers that a team uses: where they are, and which variable holds the key."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from providers import calls, files, registry, variables
from providers.base import Adapter, Connection, ProviderError, Refused
from providers.http.addresses import is_never_asked

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,}|[A-Z0-9]{32,}")
_UNREADABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
_REGION = re.compile(r"[a-z0-9-]{0,40}")
_SECRET_OPTION = re.compile(r"key|token|secret|password", re.IGNORECASE)
TEST_SECONDS = 20.0
"""A person, and a thread of the web server, wait for the test of a connection."""

NOT_RELEASED = _(
    "is not released for providers. The operator of the server names it in HOTSWAP_PROVIDER_KEYS;"
    " Hotswap's own variables never are."
)
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


def _is_variable(value: str) -> bool:
    return bool(_VARIABLE.fullmatch(value)) and not _KEY.fullmatch(value)


def check_variable_name(value: str) -> None:
    """Raise ValidationError unless the value can be a variable's name, and isn't a key itself."""
    if not _is_variable(value):
        # The value is not repeated: it may be the key.
        raise ValidationError(
            gettext(
                "Write the name of the environment variable, such as OPENAI_API_KEY (capital "
                "letters,"
                " digits and underscores), never the key itself."
            ),
            code="not_a_variable",
        )


def check_readable(value: str) -> None:
    """Raise ValidationError for line breaks, and for what makes one name look like another."""
    if _UNREADABLE.search(value):
        raise ValidationError(
            gettext(
                "No line breaks, control characters, or characters that change the direction of"
                " writing."
            ),
            code="unreadable",
        )


def check_options(value: Any) -> None:
    """Raise ValidationError unless the value maps texts to texts and holds no key."""
    if not isinstance(value, Mapping) or not all(
        isinstance(text, str) for pair in value.items() for text in pair
    ):
        raise ValidationError(
            gettext('Options are pairs of texts, such as {"region": "eu-central-1"}.'),
            code="not_texts",
        )
    for name in value:
        if _SECRET_OPTION.search(name) and not name.endswith("_env"):
            raise ValidationError(
                gettext(
                    "%(name)s: keys belong in the environment; name their variable in an option "
                    "that ends in _env."
                )
                % {"name": name},
                code="secret",
            )
    _check_options_that_lead_somewhere(value)
    for name in PRICE_OPTIONS:
        if name in value and _price(value[name]) is None:
            raise ValidationError(
                gettext(
                    "%(name)s: write USD per million tokens, such as 0.25; 0 for a server of "
                    "your own."
                )
                % {"name": name},
                code="not_a_price",
            )


def _check_options_that_lead_somewhere(value: Mapping[str, str]) -> None:
    """Raise ValidationError for a region or address that could make a host of somebody's own."""
    if not _REGION.fullmatch(value.get("region", "")):
        raise ValidationError(
            gettext("region: write one such as eu-central-1."), code="not_a_region"
        )
    for name, address in value.items():
        if name.endswith("_url") and (problem := _problem_of_http_address(address)):
            raise ValidationError(f"{name}: {problem}", code="not_an_address")
        if name.endswith("_env") and address:
            try:
                check_variable_name(address)
            except ValidationError as error:
                raise ValidationError(f"{name}: {error.messages[0]}", code=error.code) from error


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
        help_text=_(
            "Short name in addresses and commands, such as openrouter. Applications use"
            " it, so keep it once models are tracked."
        ),
    )
    name = models.CharField(
        max_length=100,
        validators=[check_readable],
        help_text=_("What people call it, such as OpenRouter or GPU server Prague."),
    )
    kind = models.CharField(
        max_length=40,
        choices=registry.kinds,
        help_text=_(
            "How to speak to it. vLLM, llama.cpp, Groq, Together and most others take the"
            " OpenAI kind with their own base URL."
        ),
    )
    base_url = models.CharField(
        _("base URL"),
        max_length=500,
        blank=True,
        help_text=_(
            "Where its API starts, such as http://127.0.0.1:8000/v1. Leave it empty for"
            " the provider's own public address."
        ),
    )
    api_key_env = models.CharField(
        _("key's environment variable"),
        max_length=128,
        blank=True,
        validators=[check_variable_name],
        help_text=_(
            "The name of the environment variable with the key, such as OPENAI_API_KEY."
            " The key itself is never stored. Leave it empty where no key is needed."
        ),
    )
    options = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_options],
        help_text=_(
            'What else the kind needs, such as {"region": "eu-central-1"} for Bedrock or'
            ' {"api_version": "2024-10-21"} for Azure. {"input_price": "0.15", "output_price": '
            '"0.60"}'
            " are USD per million tokens of models that it lists without a price. Leave it as {}"
            " otherwise."
        ),
    )
    enabled = models.BooleanField(
        default=True,
        help_text=_("Ask it in every check. Switch it off to keep its models without asking."),
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text=_(
            "The longest that listing its models may take, in seconds. Leave it empty for"
            " the usual limit; raise it for a slow server of your own."
        ),
    )
    key_released_to = models.JSONField(
        default=list,
        editable=False,
        help_text=_("Which variable may go to which place, each as NAME https://host:port."),
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
        known = registry.known_variables(self.kind)
        for field, name in self._named_variables():
            # What can't be a variable's name is told by the field, and may be the key itself.
            if _is_variable(name) and not variables.is_released(name, known=known):
                raise ValidationError({field: f"{name} {NOT_RELEASED}"}, code="not_released")

    def _named_variables(self) -> list[tuple[str, str]]:
        """Return every variable that the row names, with the field that names it."""
        named = [("options", value) for value in self._options_ending("_env")]
        return [("api_key_env", self.api_key_env), *named] if self.api_key_env else named

    def _options_ending(self, end: str) -> list[str]:
        """Return the texts of the options with this ending; what is no text is told elsewhere."""
        options = self.options if isinstance(self.options, Mapping) else {}
        return [v for k, v in options.items() if k.endswith(end) and isinstance(v, str) and v]

    def key_pairs(self) -> list[str]:
        """Return which variable would go to which place, as the row stands now."""
        addresses = [self.base_url or registry.public_address(self.kind)]
        addresses += self._options_ending("_url")
        return variables.pairs((name for _, name in self._named_variables()), addresses)

    def unreleased_pairs(self) -> list[str]:
        """Return those pairs that nobody has released; the key is not sent while there are any."""
        released = {*self.key_released_to, *registry.known_pairs(self.kind)}
        return [pair for pair in self.key_pairs() if pair not in released]

    def release_key(self) -> None:
        """Note that the variables it names may go to the places it names. It is not saved."""
        self.key_released_to = sorted({*self.key_released_to, *self.key_pairs()})

    def release_first_key(self) -> None:
        """Release the key of a new row, unless a variable is bound to another place already.

        Whoever adds a provider says with it where its key goes; only a key that serves elsewhere
        needs to be released by an act of its own. It is not saved.
        """
        bound = {pair for kind, _ in registry.kinds() for pair in registry.known_pairs(kind)}
        for row in Provider.objects.exclude(pk=self.pk):
            bound.update(row.key_released_to)
        own = self.key_pairs()
        names = {pair.split(" ")[0] for pair in own}
        if not any(pair.split(" ")[0] in names and pair not in own for pair in bound):
            self.release_key()

    def connection(self) -> Connection:
        """Return how to reach it, with the key that its variable holds now.

        The key is empty where the variable isn't set, not released for providers, or not for the
        place that the row names.
        """
        adapter = registry.adapter_class(self.kind)
        known = registry.known_variables(self.kind)
        may_send = bool(self.api_key_env) and not self.unreleased_pairs()
        return Connection(
            base_url=self.base_url or adapter.default_base_url,
            api_key=variables.read(self.api_key_env, known=known) if may_send else "",
            key_variable=self.api_key_env,
            options=dict(self.options),
            timeout_s=self.timeout_seconds,
            other_secrets=tuple(
                value
                for name in {*adapter.more_key_variables, *self._options_ending("_env")}
                if (value := variables.read(name, known=known))
            ),
        )

    def adapter(self, *, most_s: float | None = None) -> Adapter:
        """Return the adapter that asks it, for a listing in ``most_s`` seconds at most.

        Raises UnknownKind for a kind that is gone, Refused for a key that can't be one or that
        nobody has released for the place.
        """
        known = registry.known_variables(self.kind)
        for _place, name in self._named_variables():
            if not variables.is_released(name, known=known):
                raise Refused(f"{name} {NOT_RELEASED}")
        if unreleased := self.unreleased_pairs():
            name, where = unreleased[0].split(" ")
            raise Refused(
                gettext(
                    "The key in %(name)s is not released for %(where)s, so nothing was asked. "
                    "Somebody who may set up releases it on the provider's page, or over the API."
                )
                % {"name": name, "where": where}
            )
        connection = self.connection()
        if most_s is not None:
            usual = connection.timeout_s
            connection = replace(connection, timeout_s=min(usual, most_s) if usual else most_s)
        return registry.adapter_class(self.kind)(connection)

    def unset_variables(self) -> tuple[str, ...]:
        """Return the variables that should hold its credentials and hold nothing here.

        Empty too where it could not be asked for another reason.
        """
        try:
            return self.adapter().unset_variables()
        except ProviderError:
            return ()

    def usual_prices(self) -> dict[str, Decimal]:
        """Return what its options say that models cost whose price it does not list.

        USD per million tokens by field name; what no option says is left out.
        """
        said = {name: self.options[name] for name in PRICE_OPTIONS if name in self.options}
        prices = {name: _price(text) for name, text in said.items()}
        return {name: price for name, price in prices.items() if price is not None}

    def test_connection(self, *, at: datetime) -> ConnectionTest:
        """Ask it for its list once, and say what came of it; nothing is stored.

        Raises NoRoom at once where as many others wait as may.
        """
        started = time.monotonic()
        count = 0
        try:
            with calls.slot():
                listing = self.adapter(most_s=TEST_SECONDS).list_models(at=at)
        except ProviderError as error:
            ok, sentence = False, str(error)
        else:
            ok, count = True, len(listing.models)
            sentence = _say_listed(count, len(listing.dropped))
        ms = round((time.monotonic() - started) * 1000)
        return ConnectionTest(ok=ok, sentence=sentence, model_count=count, ms=ms)


def _say_listed(count: int, dropped: int) -> str:
    unread = (
        gettext(", and %(dropped)s more that could not be read") % {"dropped": dropped}
        if dropped
        else ""
    )
    return gettext(
        "It lists %(count)s model%(else_s)s%(unread)s. A listed model is not always one that "
        "this key may call."
    ) % {"count": count, "else_s": "" if count == 1 else "s", "unread": unread}


def _problem_of_address(base_url: str, adapter: type[Adapter]) -> str:
    """Return what is wrong with the base URL, empty if nothing is."""
    if not base_url:
        if adapter.default_base_url or not adapter.needs_address:
            return ""
        return gettext("This kind has no public address: set the base URL.")
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        return gettext("This is not an address. Write one such as https://api.example.com/v1.")
    if parts.scheme == "file" and adapter.reads_files:
        return files.problem_of_file_address(base_url)
    return _problem_of_http_address(base_url)


def _problem_of_http_address(base_url: str) -> str:
    """Return what is wrong with an address that is asked over HTTP, empty if nothing is."""
    try:
        parts = urlsplit(base_url)
        _ = parts.port
    except ValueError:
        return gettext("This is not an address. Write one such as https://api.example.com/v1.")
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in base_url:
        return gettext("Write an address that starts with http:// or https://.")
    if is_never_asked(parts.hostname):
        return gettext("This is an address of the machine's own surroundings: it is never asked.")
    if "@" in parts.netloc:
        return gettext("Leave user and password out: keys come from the environment variable.")
    if parts.query or parts.fragment:
        return gettext(
            "Leave out everything from ? or # on: what else is needed goes into the options."
        )
    return ""
