"""Who does something: kept with every step of an upgrade."""

from dataclasses import dataclass
from typing import Literal, Self

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from versioning.models import ApiKey
from versioning.services import clock

ActorKind = Literal["staff", "api", "scheduler", "command"]


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an API key, the scheduler, or somebody at the command line."""

    kind: ActorKind
    name: str
    user_id: int | None = None
    """The person who does it: a member of staff, or the one whose key it is."""

    maker_id: int | None = None
    """Who made the service's key with which it is done, and so may hold it."""

    team_id: int | None = None
    """The team that the key belongs to."""

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
        """Return the person whose key it is, or the service, under the name of the key."""
        maker = key.maker_id if key.person_id is None else None
        return cls(
            kind="api",
            name=key.name[:150],
            user_id=key.person_id,
            maker_id=maker,
            team_id=key.team_id,
        )

    def note(self, row: Model, *, kind: Literal["+", "~", "-"] = "~") -> None:
        """Keep a row as it is now in its history, for a table whose saves don't by themselves."""
        history = row.history.model  # type: ignore[attr-defined]
        held = {field.attname: getattr(row, field.attname) for field in history.tracked_fields}
        history.objects.create(
            **held,
            history_date=clock.now(),
            history_type=kind,
            history_user_id=self.user_id,
            history_change_reason=f"{self.kind}: {self.name}"[:100],
        )
