"""Who does something: kept with every step of an upgrade."""

from dataclasses import dataclass
from typing import Literal, Self

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from versioning.models import ApiKey

ActorKind = Literal["staff", "api", "scheduler", "command"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an API key, the scheduler, or somebody at the command line."""

    kind: ActorKind
    name: str
    user_id: int | None = None

    @classmethod
    def scheduler(cls) -> Self:
        return cls(kind="scheduler", name="scheduler")

    @classmethod
    def command(cls, name: str = "command line") -> Self:
        return cls(kind="command", name=name[:150])

    @classmethod
    def of_user(cls, user: AbstractBaseUser) -> Self:
        return cls(kind="staff", name=user.get_username()[:150], user_id=user.pk)

    def sign(self, row: Model) -> None:
        """Say in the history of a row, which is saved or deleted next, who did it."""
        row._change_reason = f"{self.kind}: {self.name}"[:100]  # type: ignore[attr-defined]

    @classmethod
    def of_api_key(cls, key: ApiKey) -> Self:
        return cls(kind="api", name=key.name[:150])
