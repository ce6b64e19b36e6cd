"""What an adapter is, and what it hands over: parsed once, at the border."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

from providers import conversation
from providers.release_dates import believable

DatePrecision = Literal["exact", "earliest", "tentative"]
"""How a source means a retirement date: the day, not before the day, or planned for about then."""

Lifecycle = Literal["", "active", "preview", "legacy", "deprecated", "retired"]
"""A provider's word for where a model stands, in one spelling; empty where it says nothing."""

Access = Literal["", "on_demand", "profile", "provisioned"]
"""How an id can be called: as it is, only through an inference profile, only with capacity that
was bought ahead; empty where the provider doesn't say."""

FinishReason = Literal["stop", "length", "refusal", "tool_calls", "other"]


class ProviderError(Exception):
    """The provider could not be asked; the sentence says what happened and what to do next."""

    kind: ClassVar[str] = "unavailable"
    status: int | None = None
    """The status that the provider answered with, where it answered."""


class Unavailable(ProviderError):
    """No answer, a time-out or a busy server: says nothing about the models."""

    kind = "unavailable"

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, never_sent: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.never_sent = never_sent
        """Is it sure that the provider got nothing, so that it can't have charged anything?"""


class Refused(ProviderError):
    """The key is missing, wrong or not allowed to do this."""

    kind = "refused"


class Nonsense(ProviderError):
    """An answer that does not have the documented shape, an empty listing among them."""

    kind = "nonsense"


class NotThere(Nonsense):
    """Nothing is at the address (404): for a listing, a wrong base URL."""


class Incompatible(ProviderError):
    """The provider understood the chat request and can't do it as asked (400, 404 or 422)."""

    kind = "incompatible"

    def __init__(self, message: str, *, is_content_refusal: bool = False) -> None:
        super().__init__(message)
        self.is_content_refusal = is_content_refusal
        """Did a filter turn the content away? Adapters hand this over as an answer."""


class BadItem(ValueError):
    """One row of a listing that can't be read; the sentence's end, such as "has no id"."""


@dataclass(frozen=True, slots=True)
class OtherPrice:
    """A price beside the usual three, in USD per million tokens (per request for "request").

    Parts: input, output, cached_input, cache_write (five minutes), cache_write_1h, input_audio,
    input_image, reasoning, output_audio, output_image, request.
    """

    part: str
    usd: Decimal
    above: int = 0
    """The number of input tokens beyond which it holds for the whole request."""
    tier: str = ""
    """Such as batch or flex; empty for the usual one."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One model as a provider lists it; what the provider doesn't say is None or empty.

    Prices are USD per million tokens, context and output limits are tokens.
    """

    id: str
    provider: str = ""
    """Whose model it is, for a catalogue of several providers; empty for the asked one's own."""
    name: str = ""
    revision: str = ""
    """What the id stands for now: dated slug, digest, sha or fingerprint; empty if not told."""
    released: date | None = None
    created: datetime | None = None
    """The moment that ``released`` was read from, where the answer gives one as ``created``."""
    context_tokens: int | None = None
    output_tokens: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    cached_input_price: Decimal | None = None
    other_prices: tuple[OtherPrice, ...] = ()
    prices_guessed: bool = False
    """Is the unit of its prices one that the list doesn't name?"""
    input_modalities: tuple[str, ...] = ()
    output_modalities: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    """Request parameters that the model accepts."""
    capabilities: tuple[str, ...] = ()
    """Such as tools, structured_output, reasoning, vision."""
    aliases: tuple[str, ...] = ()
    hugging_face_id: str = ""
    description: str = ""
    deprecated_on: date | None = None
    retires_on: date | None = None
    retires_precision: DatePrecision | None = None
    lifecycle: Lifecycle = ""
    lifecycle_source: str = ""
    """Who says so: empty for the provider's own list."""
    access: Access = ""
    replacement: str = ""
    """The id that the provider itself names as the replacement."""
    source: str = ""
    """Where lifecycle facts come from, for a citation."""
    told_by: Mapping[str, str] = field(default_factory=dict)
    """Who tells a fact that the provider's own list doesn't: by the field's name."""
    doubts: tuple[str, ...] = ()
    """Sentences about facts that contradict each other or can't be so."""

    def is_called(self, model_id: str) -> bool:
        """Tell whether the id means this model: its own, an alias, or ``provider/id``."""
        return model_id in {self.id, *self.aliases} or (
            bool(self.provider) and model_id == f"{self.provider}/{self.id}"
        )

    def filled_from(self, other: "ListedModel") -> "ListedModel":
        """Return this model with what it leaves open taken from another listing of it."""
        unknown = {
            f.name: getattr(other, f.name)
            for f in fields(self)
            if getattr(self, GOES_WITH.get(f.name, f.name)) in (None, "", ())
        }
        aliases = tuple(a for a in dict.fromkeys(self.aliases + other.aliases) if a != self.id)
        guessed = self.prices_guessed or other.prices_guessed
        return replace(self, **{**unknown, "aliases": aliases, "prices_guessed": guessed})


GOES_WITH = {
    "created": "released",
    "lifecycle_source": "lifecycle",
    "retires_precision": "retires_on",
}
"""Fields that say how another one is meant: they are taken over with it, or not at all."""


MOST_DROPPED = 10_000
"""More rows that can't be read are no list with faults in it: it isn't read to its end."""


@dataclass(frozen=True, slots=True)
class Listing:
    """All that a provider lists at one moment, each id once."""

    models: tuple[ListedModel, ...]
    dropped: tuple[str, ...] = ()
    """One short sentence for each item that could not be read."""
    unread: tuple[str, ...] = ()
    """What identifies each item that could not be read, from one day to the next."""
    gaps: tuple[str, ...] = ()
    """One sentence for each part of the list that could not be asked for at all."""

    @classmethod
    def read(
        cls,
        rows: Iterable[Any],
        reader: Callable[[Any], ListedModel | None],
        *,
        at: datetime | None = None,
    ) -> "Listing":
        """Read each row apart: a bad one is dropped and said, one read as None is left out.

        ``at`` is the moment of asking, now where it isn't given: of what rows give as
        ``created``, only what can be a release stays. Raises Nonsense where nothing is left: a
        provider that lists no model isn't believed.
        """
        models: dict[tuple[str, str], ListedModel] = {}
        dropped: list[str] = []
        unread: list[str] = []
        for number, row in enumerate(rows, start=1):
            try:
                model = reader(row)
            except BadItem as error:
                if len(dropped) == MOST_DROPPED:
                    raise Nonsense(
                        f"More than {MOST_DROPPED:,} items could not be read: not believed."
                    ) from error
                dropped.append(f"Item {number} {error}.")
                unread.append(_fingerprint(row, error))
                continue
            if model is None:
                continue
            key = (model.provider, model.id)
            known = models.get(key)
            models[key] = known.filled_from(model) if known else model
        if not models:
            more = f" (items that could not be read: {len(dropped)})" if dropped else ""
            raise Nonsense(f"The provider listed no models{more}: not believed.")
        return cls(_with_releases(list(models.values()), at=at), tuple(dropped), tuple(unread))


def _with_releases(models: list[ListedModel], *, at: datetime | None) -> tuple[ListedModel, ...]:
    """Take back each release that was read from a moment which can be none."""
    now = datetime.now(UTC)  # a list may be slow, or ``at`` the time that it was due
    clocks = (now,) if at is None else (at, now)
    told = believable([model.created for model in models], asked_at=clocks)
    return tuple(
        model if is_told or model.created is None else replace(model, released=None)
        for model, is_told in zip(models, told, strict=True)
    )


def _fingerprint(row: Any, error: BadItem) -> str:
    """Return the same text for the same bad row on another day: its numbers may have moved."""
    try:
        text = json.dumps(row, sort_keys=True, default=str)[:_LONGEST_READ]
    except (TypeError, ValueError, RecursionError):
        text = type(row).__name__
    plain = _DIGITS.sub("", f"{error}|{text}")
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:16]


_DIGITS = re.compile(r"[0-9]+")
# A bad row of megabytes is known again by its beginning.
_LONGEST_READ = 10_000


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A chat to complete. ``messages`` are role and content pairs as in OpenAI's API."""

    model: str
    messages: Sequence[Mapping[str, Any]]
    max_tokens: int | None = None
    temperature: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """More parameters, under the provider's own names."""
    timeout_s: float = 120.0
    safe_to_repeat: bool = False
    """May it be sent again where the provider can't have begun (refused, or told to wait)?"""


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A completed chat, with what was really served."""

    text: str
    finish: FinishReason
    served_id: str = ""
    fingerprint: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: Decimal | None = None
    latency_ms: float = 0.0
    """Of the last sending only, without pauses before it."""
    attempts: int = 1
    """How often the request was sent to get this answer."""


WitnessOutcome = Literal["callable", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Witness:
    """What came of asking for one model directly; the sentence says why it isn't callable."""

    outcome: WitnessOutcome
    sentence: str = ""

    @classmethod
    def of_error(cls, error: ProviderError, *, model_id: str) -> "Witness":
        """Read a failed question: refused only where the provider speaks of this model.

        An address that isn't there, a bad key or a busy server says nothing about the model.
        """
        said = str(error).partition(_IT_SAYS)[2]
        if _OF_THE_REQUEST.search(said) or error.status not in _ABOUT_WHAT_IS_ASKED:
            return cls("unknown", str(error))
        # An address that isn't there is repeated with its slashes: that isn't the id.
        names_it = re.search(rf"(?<![/\w]){re.escape(model_id)}(?!\w)", said)
        is_refused = _OF_A_MODEL.search(said) or (names_it and error.status in {403, 404, 410})
        return cls("refused" if is_refused else "unknown", str(error))


# Other statuses tell of the key, the load or the server: nothing of the model.
_ABOUT_WHAT_IS_ASKED = frozenset({400, 403, 404, 410, 422})
_OF_THE_REQUEST = re.compile(
    r"chat.?model|chat.?completions?|embedding|max.?(completion.?)?tokens|parameter|temperature",
    re.IGNORECASE,
)
_OF_A_MODEL = re.compile(
    r"\b(models?|deployments?|inference profiles?)\b.{0,200}?"
    r"(not (be )?(found|exist|supported|available|allowed|enabled|accessible|authori[sz]ed)"
    r"|(does|do|is|are)n.t (exist|have access|supported|available)|does not exist|no longer"
    r"|no access|not have access|denied|retired|deprecated|decommissioned|discontinued"
    r"|end of (its )?life|unknown|unsupported|invalid)"
    r"|(unknown|unsupported|invalid|no such|access to|not found[:,]?|permission.{0,40}?)"
    r" ?(the |this |that )?(requested )?model"
    r"|on-demand throughput",
    re.IGNORECASE | re.DOTALL,
)
"""How providers say that it is the model which can't be called, and not the request."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach one provider. ``api_key`` never appears in a repr, a log or an error."""

    base_url: str
    api_key: str = field(default="", repr=False)
    key_variable: str = ""
    """The name of the environment variable, for messages."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Such as region or api_version."""
    timeout_s: float | None = None
    """The longest that a listing may take, in seconds; None takes the project's setting."""
    other_secrets: tuple[str, ...] = field(default=(), repr=False)
    """What else must never stand in an error, such as a session's token."""


@dataclass(frozen=True, slots=True)
class Response:
    """What ``providers.http`` hands to an adapter: status below 400, a body within its limit.

    Header names are in lower case; ``attempts`` counts the sendings.
    """

    json: Any
    headers: Mapping[str, str]
    elapsed_ms: float
    attempts: int = 1


def _naming_unset_variables(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method so that each failure, whatever its kind, says which key is missing here.

    Servers answer a missing key with 400, 404, 500, a web page or an empty list, too.
    """

    @functools.wraps(ask)
    def asking(adapter: "Adapter", *args: Any, **more: Any) -> Any:
        try:
            answer = ask(adapter, *args, **more)
        except ProviderError as error:
            error.args = (_naming(adapter.unset_variables(), str(error)),)
            raise
        if isinstance(answer, Witness) and answer.outcome != "callable":
            sentence = _naming(adapter.unset_variables(), answer.sentence)
            return replace(answer, sentence=sentence)
        return answer

    return asking


def _as_one_conversation(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return the method so that all its requests share one deadline and one measure of size.

    Else a list of a hundred pages might take a hundred times as long, and as much memory.
    """

    @functools.wraps(ask)
    def asking(adapter: "Adapter", *args: Any, **more: Any) -> Any:
        with conversation.begun():
            return ask(adapter, *args, **more)

    return asking


def _naming(variables: Iterable[str], sentence: str) -> str:
    """Return the sentence with what isn't set, before the provider's own words: those get cut."""
    ours, says, theirs = sentence.partition(_IT_SAYS)
    advice = "".join(
        f" The environment variable {name} is not set here: set it."
        for name in variables
        if f"{name} is not set" not in ours
    )
    return f"{ours}{advice}{says}{theirs}"


_IT_SAYS = " It says: "
"""What stands between our sentence and the provider's own."""
_ASKING = ("list_models", "complete", "look_at")


@dataclass(frozen=True, slots=True)
class ServerPreset:
    """A known server that a kind speaks to, to start a provider from."""

    slug: str
    label: str
    base_url: str
    key_variable: str = ""
    """Empty where the server usually asks for no key."""


class Adapter:
    """Asks one kind of provider. One method is required; flags say what else it can do.

    Every method raises Unavailable, Refused or Nonsense; ``complete`` also Incompatible.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    default_base_url: ClassVar[str] = ""
    default_key_variable: ClassVar[str] = ""
    more_key_variables: ClassVar[tuple[str, ...]] = ()
    """Other variables that its own documentation names for credentials."""
    presets: ClassVar[tuple[ServerPreset, ...]] = ()
    """Servers of others that speak the same protocol."""
    needs_key: ClassVar[bool] = True
    needs_address: ClassVar[bool] = True
    """Is it reached under a base URL at all?"""
    supports_completion: ClassVar[bool] = True
    """Can it complete a chat, for testing a version before it is used?"""
    supports_revision: ClassVar[bool] = False
    """Does a listing say what stands behind an id?"""
    supports_retirement: ClassVar[bool] = False
    """Does a listing say when a model retires?"""
    is_enrichment: ClassVar[bool] = False
    """A catalogue that knows facts about other providers' models, and serves none."""
    reads_files: ClassVar[bool] = False
    """May its base URL be a file:// on this machine?"""

    def __init_subclass__(cls, **more: Any) -> None:
        """Let whatever the kind is asked for name its unset variables where it fails.

        A listing is one conversation, with all its pages.
        """
        super().__init_subclass__(**more)
        for name in _ASKING:
            if name in cls.__dict__:
                setattr(cls, name, _naming_unset_variables(cls.__dict__[name]))
        if "list_models" in cls.__dict__:
            cls.list_models = _as_one_conversation(cls.list_models)  # type: ignore[method-assign]

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def unset_variables(self) -> tuple[str, ...]:
        """Return the variables that should hold its credentials and hold nothing here."""
        name = self.connection.key_variable
        return (name,) if name and not self.connection.api_key else ()

    def list_models(self, *, at: datetime) -> Listing:
        """Return everything that the provider lists at ``at`` (the moment of asking)."""
        raise NotImplementedError

    def describe(self, model_id: str, *, at: datetime) -> ListedModel | None:
        """Return what the provider knows of one model, None where it isn't listed."""
        models = self.list_models(at=at).models
        return next((model for model in models if model.is_called(model_id)), None)

    def complete(self, request: ChatRequest) -> ChatAnswer:
        """Complete one chat; only where ``supports_completion``."""
        raise NotImplementedError

    def look_at(self, model_id: str, *, at: datetime) -> Witness:
        """Ask for one model by its own address, which costs nothing; it never raises.

        Where the kind has no such address, or what is there proves nothing, it is unknown.
        """
        return Witness("unknown", "This kind of provider can't be asked for one model.")

    def call_once(self, model_id: str, *, timeout_s: float) -> Witness:
        """Call a model with the cheapest chat there is, one token; it never raises."""
        if not self.supports_completion:
            return Witness("unknown", "This kind of provider can't complete chats.")
        request = ChatRequest(
            model=model_id,
            messages=({"role": "user", "content": "1"},),
            max_tokens=1,
            timeout_s=timeout_s,
        )
        try:
            self.complete(request)
        except ProviderError as error:
            return Witness.of_error(error, model_id=model_id)
        return Witness("callable")

    def _found(self, ask: Callable[[], object], model_id: str) -> Witness:
        """Return what a question by the model's address came to."""
        try:
            ask()
        except ProviderError as error:
            return Witness.of_error(error, model_id=model_id)
        return Witness("callable")
