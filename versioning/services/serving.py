"""What to answer to "which version now?"."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from versioning.models import ModelVersion, TrackedModel
from versioning.services.errors import NotFound
from versioning.services.process_cache import Fingerprint, Row


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """What an application needs to send a request."""

    label: str
    upstream_id: str
    revision: str
    released_on: date | None
    context_tokens: int | None
    output_tokens: int | None
    input_price: Decimal | None
    output_price: Decimal | None
    deprecated_on: date | None
    retires_on: date | None
    is_listed: bool

    @classmethod
    def of(cls, version: ModelVersion) -> "ServedVersion":
        return cls(**{name: getattr(version, name) for name in cls.__slots__})

    @classmethod
    def columns(cls) -> list[str]:
        """Return the columns that all this is made of."""
        return ["gone_at" if name == "is_listed" else name for name in cls.__slots__]


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """The answer to ``current``; equal answers have equal ETags."""

    tracked_model_id: int
    provider: str
    base_url: str
    name: str
    version: ServedVersion
    etag: str


_ROW = Fingerprint(
    lambda provider, name: TrackedModel.objects.filter(
        provider__slug=provider, name=name
    ).values_list(
        "pk",
        "moves",
        "provider__base_url",
        *(f"current_version__{column}" for column in ServedVersion.columns()),
    ),
    parameters=2,
)
_answers: dict[tuple[str, str], tuple[Row, CurrentAnswer]] = {}


def current(*, provider: str, name: str, now: datetime) -> CurrentAnswer:
    """Return the version that an application should use now. Raises NotFound."""
    row = _ROW.read(provider, name)
    known = _answers.get((provider, name))
    if known is not None and known[0] == row:
        return known[1]
    tracked = TrackedModel.objects.named(provider=provider, name=name).first()
    if row is None or tracked is None or tracked.current_version is None:
        raise NotFound(
            f"{provider} / {name} is not tracked. Track it in the admin, or with "
            f"`manage.py track {provider} {name}`."
        )
    version = ServedVersion.of(tracked.current_version)
    answer = CurrentAnswer(
        tracked_model_id=tracked.pk,
        provider=provider,
        base_url=tracked.provider.base_url,
        name=name,
        version=version,
        etag=_etag(tracked, version),
    )
    if _ROW.read(provider, name) == row:  # else it changed while we read: keep nothing
        _answers[provider, name] = row, answer
    return answer


def tracked_model(*, provider: str, name: str) -> TrackedModel:
    """Return the tracked model of this name. Raises NotFound."""
    tracked = TrackedModel.objects.named(provider=provider, name=name).first()
    if tracked is None:
        raise NotFound(f"{provider} / {name} is not tracked.")
    return tracked


def _etag(tracked: TrackedModel, version: ServedVersion) -> str:
    seen = repr((tracked.pk, tracked.moves, tracked.provider.base_url, version))
    return hashlib.blake2b(seen.encode(), digest_size=12).hexdigest()
