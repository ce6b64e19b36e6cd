"""What a sample looks like when it comes in: decoded and checked in one step."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from versioning.domain.figure_kinds import Field, Unit
from versioning.domain.figures import FIELDS
from versioning.models.samples import USE_LENGTH
from versioning.services.errors import Invalid

Id = Annotated[str, msgspec.Meta(max_length=200)]
MOST_TOKENS = 1_000_000_000
Tokens = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=86_400_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
TagText = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern="^[^=,]*$")]
RequestId = Annotated[str, msgspec.Meta(max_length=200)]
UseText = Annotated[str, msgspec.Meta(max_length=USE_LENGTH, pattern=r"^[\w.:/-]+$")]
UseTexts = Annotated[list[UseText], msgspec.Meta(max_length=50)]


class SignalsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What an application knows instead of a score; ranges as in domain.signals."""

    valid_output: bool | None = None
    user_feedback: Annotated[float, msgspec.Meta(ge=-1, le=1)] | None = None
    retries: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    latency_budget_ms: Annotated[float, msgspec.Meta(gt=0, le=86_400_000)] | None = None


_OF_UNIT: Mapping[Unit, Any] = {
    Unit.SCORE: Share,
    Unit.MILLISECONDS: Milliseconds,
    Unit.USD: Decimal,
    Unit.TOKENS: Tokens,
    Unit.YES_NO: bool,
}


def _of_sample(figure: Field) -> tuple[str, Any, None]:
    told: Any = _OF_UNIT[figure.unit]
    described: Any = Annotated[told, msgspec.Meta(description=figure.sentence)]
    return figure.name, described | None, None


_Figures: Any = msgspec.defstruct(
    "_Figures", map(_of_sample, FIELDS), frozen=True, forbid_unknown_fields=True, gc=False
)


class SampleIn(_Figures):  # type: ignore[misc]
    """One request as an application reports it, with the figures that ``domain.figures`` declares.

    Names the tracked model (``provider`` and ``model``) or an upstream id. An unknown cost is
    null, not 0. ``time`` is when the request began; without it, now. ``session`` is what
    ``current`` was asked for with ``key``, or a conversation: the two versions of a canary aren't
    compared by sessions that got both. ``parameters`` and ``modalities`` are the names of what
    the request used, such as temperature, tools or image. ``input_tokens`` and
    ``output_tokens`` are all of their side; the other counts are parts of them.
    """

    provider: Id = ""
    model: Id = ""
    upstream_id: Id = ""
    revision: Id = ""
    requested_id: Id = ""
    resolved_id: Id = ""
    served_id: Id = ""
    task: Annotated[str, msgspec.Meta(max_length=100)] = ""
    source: Literal["production", "canary", "evaluation"] = "production"
    signals: SignalsIn | None = None
    cache_write_1h_tokens: Tokens | None = None
    input_audio_tokens: Tokens | None = None
    input_image_tokens: Tokens | None = None
    output_audio_tokens: Tokens | None = None
    output_image_tokens: Tokens | None = None
    service_tier: Annotated[str, msgspec.Meta(max_length=40)] = ""
    error: Annotated[str, msgspec.Meta(max_length=100)] = ""
    request_id: RequestId = ""
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    tags: Annotated[dict[TagText, TagText], msgspec.Meta(max_length=8)] | None = None
    session: Annotated[str, msgspec.Meta(max_length=200)] = ""
    parameters: UseTexts | None = None
    modalities: UseTexts | None = None


class ScoreIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A score for a request that was, or will be, reported with this request id."""

    request_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    quality: Share | None = None
    signals: SignalsIn | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """One item that can't be used: its place in the batch, and why."""

    index: int
    code: str
    detail: str


class UnreadableBody(Invalid):
    """The body is no JSON, or neither an item nor a list of items."""

    code = "unreadable-body"
    status = 400


class TooLarge(Invalid):
    """More than one request may carry."""

    code = "too-large"
    status = 413


Item = TypeVar("Item", SampleIn, ScoreIn)

_raw_items = msgspec.json.Decoder(list[msgspec.Raw])
_samples = msgspec.json.Decoder(list[SampleIn])
_sample = msgspec.json.Decoder(SampleIn)
_scores = msgspec.json.Decoder(list[ScoreIn])
_score = msgspec.json.Decoder(ScoreIn)


def decode_samples(body: bytes, *, most: int) -> list[SampleIn | Rejected]:
    """Read one sample, a list of them, or {"samples": [...]}.

    Items that can't be used come back as Rejected. Raises Unreadable or TooLarge (over ``most``).
    """
    return _decode(body, wrapper="samples", whole=_samples, single=_sample, most=most)


def decode_scores(body: bytes, *, most: int) -> list[ScoreIn | Rejected]:
    """Read one score, a list of them, or {"scores": [...]}; otherwise as decode_samples."""
    return _decode(body, wrapper="scores", whole=_scores, single=_score, most=most)


def sample_from(fields: Mapping[str, Any], *, index: int) -> SampleIn | Rejected:
    """Return the checked sample with these fields, for those who don't read it from JSON."""
    try:
        return msgspec.convert(fields, SampleIn)
    except msgspec.ValidationError as error:
        return Rejected(index, "invalid-field", str(error))


def _decode(
    body: bytes,
    *,
    wrapper: str,
    whole: msgspec.json.Decoder[list[Item]],
    single: msgspec.json.Decoder[Item],
    most: int,
) -> list[Any]:
    text = _unwrapped(body, wrapper=wrapper)
    try:
        items: list[Any] = whole.decode(text)
    except msgspec.ValidationError:
        items = _decode_one_by_one(text, single=single)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableBody(f"The body is not JSON: {error}.") from error
    if len(items) > most:
        raise TooLarge(f"A batch holds at most {most} items, not {len(items)}: send it in parts.")
    return items


def _unwrapped(body: bytes, *, wrapper: str) -> bytes:
    """Return the JSON list of items in the body."""
    start = body.lstrip()[:1]
    if start == b"[":
        return body
    if start != b"{":
        raise UnreadableBody(f"Send one JSON object, a list of them, or an object with {wrapper}.")
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableBody(f"The body is not JSON: {error}.") from error
    if wrapper not in fields:
        return b"[" + body + b"]"
    if len(fields) > 1:
        raise UnreadableBody(f"Beside {wrapper} nothing else may stand in the object.")
    return bytes(fields[wrapper])


def _decode_one_by_one(text: bytes, *, single: msgspec.json.Decoder[Any]) -> list[Any]:
    items: list[Any] = []
    try:
        raws = _raw_items.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableBody(f"The body is no list of items: {error}.") from error
    for index, raw in enumerate(raws):
        try:
            items.append(single.decode(raw))
        except msgspec.ValidationError as error:
            items.append(Rejected(index, "invalid-field", str(error)))
    return items
