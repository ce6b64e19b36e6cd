"""The simulated world: which model each provider serves on which day, and how good it is."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

FIRST_DAY = date(2025, 1, 1)
"""The date of day 0 where nothing else is said."""

NO_QUALITY: Mapping[str, float] = {"*": 0.8}


@dataclass(frozen=True, slots=True)
class WorldModel:
    """One model of the world. Days count from the world's first day and may be negative.

    Prices are USD per million tokens; ``quality`` is the share of right answers per task, 0..1,
    with ``*`` for every other task.
    """

    id: str
    name: str = ""
    listed_from: int = 0
    listed_until: int | None = None
    """The last day that it is listed and served; None means for good."""
    released: int = -100
    context: int = 128_000
    output: int = 8_192
    input_price: Decimal | None = Decimal(1)
    output_price: Decimal | None = Decimal(3)
    quality: Mapping[str, float] = field(default_factory=lambda: NO_QUALITY)
    type: str = "chat"
    inputs: tuple[str, ...] = ("text",)
    outputs: tuple[str, ...] = ("text",)
    parameters: tuple[str, ...] = ("max_tokens", "temperature", "top_p", "stop", "seed")
    revision: str = ""
    aliases: tuple[str, ...] = ()
    serves: str = ""
    """The id that really answers, where this one is an alias; empty for itself."""
    hugging_face_id: str = ""
    description: str = ""
    deprecated: int | None = None
    retires: int | None = None
    replacement: str = ""
    lifecycle: str = ""
    """The provider's own word for where it stands; empty for what the other fields give."""
    access: tuple[str, ...] = ("ON_DEMAND",)
    """How Bedrock lets it be called."""
    profiles: tuple[str, ...] = ()
    """The regions of Bedrock's inference profiles for it, such as us and global."""
    refuses: str = ""
    """What every call of it is refused with, though it is listed; empty where it answers."""
    is_hidden: bool = False
    """Does it answer, though no list has it?"""
    created: str = ""
    """What the list gives as its creation instead of its release: now, or a time."""
    placeholder_expiry: bool = False
    """Does the provider write a far-future date where it means none?"""

    def quality_at(self, task: str) -> float:
        return self.quality.get(task, self.quality.get("*", 0.8))


@dataclass(frozen=True, slots=True)
class Change:
    """From ``day`` on, the model has these other values."""

    day: int
    kind: str
    id: str
    values: Mapping[str, Any]


class UnknownModel(LookupError):
    """The provider doesn't serve the model on that day."""


class World:
    """Catalogues by kind and day; what a test or the demo edits holds on every day."""

    def __init__(
        self,
        models: Mapping[str, tuple[WorldModel, ...]],
        changes: tuple[Change, ...] = (),
        *,
        start: date = FIRST_DAY,
    ) -> None:
        self.start = start
        self._lock = threading.Lock()
        self._models = {kind: {m.id: m for m in rows} for kind, rows in models.items()}
        self._changes: dict[tuple[str, str], list[Change]] = {}
        for change in changes:
            self._changes.setdefault((change.kind, change.id), []).append(change)
        self._edits: dict[tuple[str, str], dict[str, Any]] = {}

    def kinds(self) -> tuple[str, ...]:
        return tuple(self._models)

    def date_of(self, day: int) -> date:
        return self.start + timedelta(days=day)

    def epoch_of(self, day: int) -> int:
        """Return the second at which the day begins (UTC)."""
        return int(datetime.combine(self.date_of(day), time(), UTC).timestamp())

    def models(self, kind: str, day: int) -> tuple[WorldModel, ...]:
        """Return what the provider serves on the day."""
        with self._lock:
            return tuple(
                model
                for model in self._as_of(kind, day)
                if model.listed_from <= day
                and (model.listed_until is None or day <= model.listed_until)
            )

    def listed(self, kind: str, day: int) -> tuple[WorldModel, ...]:
        """Return what the provider lists on the day: all that it serves but the hidden ones."""
        return tuple(model for model in self.models(kind, day) if not model.is_hidden)

    def find(self, kind: str, model_id: str, day: int) -> WorldModel:
        """Return the model under its id or an alias; UnknownModel where it isn't served."""
        for model in self.models(kind, day):
            if model_id == model.id or model_id in model.aliases:
                return model
        raise UnknownModel(model_id)

    def quality(self, kind: str, model_id: str, task: str, day: int) -> float:
        """Return the share of right answers, 0..1; UnknownModel where it isn't served."""
        model = self.find(kind, model_id, day)
        return self.find(kind, model.serves or model.id, day).quality_at(task)

    def add(self, kind: str, model_id: str, **values: Any) -> WorldModel:
        """List one more model, from day 0 unless ``listed_from`` says otherwise."""
        model = WorldModel(model_id, **values)
        with self._lock:
            self._models.setdefault(kind, {})[model_id] = model
            self._edits.pop((kind, model_id), None)
        return model

    def remove(self, kind: str, model_id: str) -> None:
        """List the model no more; UnknownModel where the provider never had it."""
        with self._lock:
            if self._models[kind].pop(model_id, None) is None:
                raise UnknownModel(model_id)

    def change(self, kind: str, model_id: str, **values: Any) -> None:
        """Give the model other values, above what the script says."""
        with self._lock:
            if model_id not in self._models[kind]:
                raise UnknownModel(model_id)
            self._edits.setdefault((kind, model_id), {}).update(values)

    def _as_of(self, kind: str, day: int) -> Iterator[WorldModel]:
        for model in self._models.get(kind, {}).values():
            values: dict[str, Any] = {}
            for change in self._changes.get((kind, model.id), ()):
                if change.day <= day:
                    values |= change.values
            values |= self._edits.get((kind, model.id), {})
            yield replace(model, **values) if values else model
