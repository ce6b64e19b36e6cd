"""All operations of the API, found in its description and its addresses: for tests that walk."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from versioning.api import urls
from versioning.api.description import OnceGenerator
from versioning.api.permissions import Operation

WRITES = ("post", "patch", "put", "delete")


@dataclass(frozen=True)
class Described:
    """One operation, as the description tells it; ``rule`` says what a caller needs."""

    method: str
    path: str
    schema: dict[str, Any]
    rule: Operation | None

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    def address(self, value: Any = 1, **parts: Any) -> str:
        """Return the address with ``value`` in all its parts but those that are given."""
        return re.sub(r"{(\w+)}", lambda found: str(parts.get(found[1], value)), self.path)

    def parameters(self, place: str, kind: str = "") -> list[str]:
        return [
            each["name"]
            for each in self.schema.get("parameters", ())
            if each["in"] == place and (not kind or kind in _types(each["schema"]))
        ]

    @property
    def media_types(self) -> list[str]:
        return list(self.schema.get("requestBody", {}).get("content", {}))

    def fields(self) -> dict[str, Any]:
        """Return the properties of the JSON body by name; empty for one that takes no fields."""
        properties: dict[str, Any] = self._body().get("properties", {})
        return properties

    def required_fields(self) -> list[str]:
        """Return the names of the fields without which the JSON body is refused."""
        names: list[str] = self._body().get("required", [])
        return names

    def _body(self) -> dict[str, Any]:
        content = self.schema.get("requestBody", {}).get("content", {})
        body = content.get("application/json", {}).get("schema", {})
        found: dict[str, Any] = description()["components"]["schemas"].get(
            body.get("$ref", "").split("/")[-1], {}
        )
        return found


def _types(schema: dict[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def description() -> dict[str, Any]:
    return OnceGenerator().get_schema()


def path_of(route: str) -> str:
    """Return an address of Django's as the description writes it: with its version."""
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).rstrip("/")
    return re.sub(r"^/api/(?!v1(/|$))", "/api/v1/", path)


def operations() -> list[Described]:
    """Return every operation that the description has."""
    return list(_operations())


def _operations() -> Iterator[Described]:
    rules = {
        (path_of(str(each.pattern)), method): getattr(
            getattr(each.callback.view_class, method), "operation", None
        )
        for each in urls.urlpatterns
        if hasattr(getattr(each, "callback", None), "view_class")
        for method in ("get", *WRITES)
        if hasattr(each.callback.view_class, method)
    }
    for path, methods in description()["paths"].items():
        for method, schema in methods.items():
            yield Described(method, path, schema, rules.get((path, method)))


def writes() -> list[Described]:
    return [each for each in operations() if each.method in WRITES]
