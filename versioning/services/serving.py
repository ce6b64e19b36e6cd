"""What to answer to "which version now?"."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import FilteredRelation, Q

from versioning.domain.assignment import is_in_canary
from versioning.domain.transitions import State
from versioning.models import Canary, ModelVersion, TrackedModel
from versioning.services import lookups
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
    lifecycle: str
    is_listed: bool
    gone_at: datetime | None
    parameter_map: str
    """What requests must say otherwise to it, as JSON: answers are compared and remembered."""

    @classmethod
    def of(cls, version: ModelVersion) -> "ServedVersion":
        facts = {name: getattr(version, name) for name in cls.__slots__}
        return cls(
            **{**facts, "parameter_map": json.dumps(version.parameter_map or {}, sort_keys=True)}
        )

    @classmethod
    def columns(cls) -> list[str]:
        """Return the columns that all this is made of."""
        told = [name for name in cls.__slots__ if name != "is_listed"]
        return [*told, "first_seen_at"]


@dataclass(frozen=True, slots=True)
class CanaryShare:
    """The canary that is on, for clients that split their requests themselves."""

    version: ServedVersion
    weight: Decimal
    """The share of requests that should get it, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class CurrentAnswer:
    """The answer to ``current``; equal answers have equal ETags.

    With a key, ``version`` is that key's and ``canary`` is None; without one, ``version`` is the
    current one and ``canary`` what is being tried beside it.
    """

    tracked_model_id: int
    provider: str
    base_url: str
    name: str
    version: ServedVersion
    canary: CanaryShare | None
    etag: str

    def __hash__(self) -> int:
        return hash(self.etag)


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers that a model has now: without a key, and for the keys of each arm."""

    without_key: CurrentAnswer
    with_key: CurrentAnswer
    tried: CurrentAnswer | None = None
    salt: str = ""
    weight: Decimal = Decimal(0)

    def to(self, key: str) -> CurrentAnswer:
        """Return the answer to a key, or to nobody in particular."""
        if not key:
            return self.without_key
        if self.tried and is_in_canary(salt=self.salt, key=key, weight=self.weight):
            return self.tried
        return self.with_key


_ROW = Fingerprint(
    lambda provider, name: (
        TrackedModel.objects.filter(provider__slug=provider, name=name)
        .annotate(
            trial=FilteredRelation("upgrades", condition=Q(upgrades__state=State.CANARY.value))
        )
        .values_list(
            "pk",
            "moves",
            "provider__base_url",
            "trial__canary__salt",
            "trial__canary__steps",
            "trial__canary__position",
            *(f"current_version__{column}" for column in ServedVersion.columns()),
            *(f"trial__to_version__{column}" for column in ServedVersion.columns()),
        )
    ),
    parameters=2,
)
_answers: dict[tuple[str, str], tuple[Row, Answers]] = {}


def current(*, provider: str, name: str, now: datetime, key: str = "") -> CurrentAnswer:
    """Return the version that an application should use now, for ``key`` during a canary.

    The same key gets the same answer in every process; a growing canary only adds keys.
    One query, or none (see Fingerprint). Raises NotFound.
    """
    row = _ROW.read(provider, name)
    known = _answers.get((provider, name))
    if known is not None and known[0] == row:
        return known[1].to(key)
    answers = _read(provider=provider, name=name)
    if row is not None and _ROW.fetch(provider, name) == row:  # nothing changed in between
        _answers[provider, name] = row, answers
    return answers.to(key)


def _read(*, provider: str, name: str) -> Answers:
    tracked = TrackedModel.objects.named(provider=provider, name=name).first()
    if tracked is None or tracked.current_version is None:
        raise NotFound(
            f"{provider} / {name} is not tracked. Track it in the admin, or with "
            f"`manage.py track {provider} {name}`."
        )
    version = ServedVersion.of(tracked.current_version)
    trial = _canary_of(tracked)
    if trial is None:
        answer = _answer(tracked, version)
        return Answers(without_key=answer, with_key=answer)
    tried = ServedVersion.of(trial.record.to_version)
    share = CanaryShare(version=tried, weight=trial.weight)
    return Answers(
        without_key=_answer(tracked, version, share),
        with_key=_answer(tracked, version),
        tried=_answer(tracked, tried),
        salt=trial.salt,
        weight=trial.weight,
    )


def _answer(
    tracked: TrackedModel, version: ServedVersion, share: CanaryShare | None = None
) -> CurrentAnswer:
    return CurrentAnswer(
        tracked_model_id=tracked.pk,
        provider=tracked.provider.slug,
        base_url=tracked.provider.base_url,
        name=tracked.name,
        version=version,
        canary=share,
        etag=_etag(tracked, version, share),
    )


def tracked_model(*, provider: str, name: str) -> TrackedModel:
    """Return the tracked model of this name. Raises NotFound."""
    return lookups.one(
        TrackedModel.objects.named(provider=provider, name=name),
        missing=f"{provider} / {name} is not tracked.",
    )


def _canary_of(tracked: TrackedModel) -> Canary | None:
    return (
        Canary.objects.select_related("record__to_version")
        .filter(record__tracked_model=tracked, record__state=State.CANARY.value)
        .first()
    )


def _etag(tracked: TrackedModel, version: ServedVersion, share: CanaryShare | None) -> str:
    seen = repr((tracked.pk, tracked.moves, tracked.provider.base_url, version, share))
    return hashlib.blake2b(seen.encode(), digest_size=12).hexdigest()
