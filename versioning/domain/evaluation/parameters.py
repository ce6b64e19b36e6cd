"""A parameter map: what of a request must be said otherwise to another version."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class BadMap(ValueError):
    """A parameter map that can't be used; a sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterMap:
    """Renames first, then drops, then defaults for what the request doesn't say."""

    rename: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    default: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters as this version wants them."""
        renamed = {self.rename.get(name, name): value for name, value in parameters.items()}
        kept = {name: value for name, value in renamed.items() if name not in self.drop}
        return {**self.default, **kept}

    def as_dict(self) -> dict[str, Any]:
        """Return it as it is stored and as ``current`` gives it; empty where nothing changes."""
        said = {
            "rename": dict(self.rename),
            "drop": list(self.drop),
            "default": dict(self.default),
        }
        return {name: value for name, value in said.items() if value}


def read_map(value: Any) -> ParameterMap:
    """Read a parameter map. Raises BadMap."""
    if not isinstance(value, Mapping) or not set(value) <= {"rename", "drop", "default"}:
        raise BadMap(
            'A parameter map is {"rename": {"old": "new"}, "drop": ["name"], "default": {...}}.'
        )
    rename, drop, default = value.get("rename", {}), value.get("drop", []), value.get("default", {})
    if not isinstance(rename, Mapping) or not all(
        isinstance(name, str) and name for pair in rename.items() for name in pair
    ):
        raise BadMap("rename says for each old name the new one.")
    if len(set(rename.values())) != len(rename):
        raise BadMap("rename gives two parameters the same name.")
    if not isinstance(drop, list) or not all(isinstance(name, str) and name for name in drop):
        raise BadMap("drop is a list of names.")
    if not isinstance(default, Mapping) or not all(isinstance(name, str) for name in default):
        raise BadMap("default says for each name a value.")
    return ParameterMap(rename=dict(rename), drop=tuple(drop), default=dict(default))
