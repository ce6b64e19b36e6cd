"""Who does something: kept with every step of an upgrade."""

from dataclasses import dataclass
from typing import Literal, Self

from django.contrib.auth.models import AbstractBaseUser

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

    @classmethod
    def of_api_key(cls, key: ApiKey) -> Self:
        return cls(kind="api", name=key.name[:150])
