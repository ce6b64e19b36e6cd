"""What the voices have in common: a request, a response, and the world as of today."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sample_world.simulator import mind
from sample_world.simulator.world import World, WorldModel


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``path`` starts below the voice's own folder; header names are lower."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    json: Any
    target: str
    """Path and query as they came, for signatures."""


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer: JSON, or bytes as they are."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """The voice answers with an error of its own shape."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class View:
    """One provider on one day, as the voice sees it."""

    kind: str
    day: int
    world: World
    keys: frozenset[str]
    page_size: int
    base_url: str
    """Where the voice's own folder is, for links to the next page."""

    def models(self) -> tuple[WorldModel, ...]:
        return self.world.listed(self.kind, self.day)

    def find(self, model_id: str) -> WorldModel:
        """Return the model; Refusal 404 where it isn't served today."""
        try:
            return self.world.find(self.kind, model_id, self.day)
        except LookupError as error:
            raise Refusal(404, f"The model {model_id} does not exist.") from error

    def page(self, start: int) -> tuple[tuple[WorldModel, ...], int | None]:
        """Return one page of models and where the next one starts, None at the end."""
        models, end = self.models(), start + self.page_size
        return models[start:end], end if end < len(models) else None

    def say(
        self, model_id: str, messages: Sequence[Mapping[str, Any]], max_tokens: Any
    ) -> tuple[WorldModel, mind.Said]:
        """Return the model that is really served, and what it says."""
        asked = self.find(model_id)
        if asked.refuses:
            raise Refusal(403, asked.refuses)
        if asked.type != "chat":
            raise Refusal(400, f"{model_id} is not a chat model.")
        if not isinstance(messages, list) or not messages:
            raise Refusal(400, "messages must be a list with at least one message.")
        served = self.find(asked.serves or asked.id)
        said = mind.say(
            model_id=served.id,
            messages=messages,
            quality=served.quality_at,
            max_tokens=max_tokens if isinstance(max_tokens, int) else None,
        )
        return served, said

    def created_at(self, model: WorldModel) -> int:
        """Return the second that the list gives as a model's creation."""
        if model.created == "now":
            return int(time.time())
        if model.created:
            return int(datetime.fromisoformat(model.created).timestamp())
        return self.world.epoch_of(model.released)

    def created_text(self, model: WorldModel) -> str:
        moment = datetime.fromtimestamp(self.created_at(model), UTC)
        return moment.isoformat().replace("+00:00", "Z")

    def day_text(self, day: int) -> str:
        return self.world.date_of(day).isoformat()

    def time_text(self, day: int) -> str:
        return f"{self.world.date_of(day).isoformat()}T00:00:00Z"


class Voice:
    """One provider's protocol. ``base_path`` is what follows the kind in its base URL."""

    kind: str
    base_path: str = ""
    models: tuple[WorldModel, ...] = ()
    """What it lists, where the sample world has no models of the kind."""

    def check_key(self, request: Request, view: View) -> None:
        """Raise Refusal where the key is not one that the simulator takes."""
        raise NotImplementedError

    def answer(self, request: Request, view: View) -> Response:
        """Answer one request; Refusal for what the provider would refuse."""
        raise NotImplementedError

    def error(self, status: int, message: str) -> Any:
        """Return an error body in the provider's own shape."""
        raise NotImplementedError


def check_bearer(request: Request, view: View, *, optional: bool = False) -> None:
    """Raise Refusal 401 unless the request has one of the keys as its bearer token."""
    told = request.headers.get("authorization", "")
    if optional and not told:
        return
    if told.removeprefix("Bearer ") not in view.keys:
        raise Refusal(401, "Incorrect API key provided.")


def hexdigest(text: str, length: int = 64) -> str:
    """Return a stable stand-in for a digest or a commit."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
