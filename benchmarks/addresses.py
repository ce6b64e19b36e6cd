"""The address of every page of the admin and of every read of the API, from what they declare.

A new list, filter, page or address is in it by itself: tests/benchmarks/test_addresses.py.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from benchmarks import world

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.test import Client

NOT_OF_TABLES = ("schema", "docs", "redoc", "livez", "readyz", "provider-kinds", "event-kinds")
"""Addresses of the API whose answers are the same however many rows there are."""

COMPARED = "from={from_version_id}&to={to_version_id}"


def of_admin() -> Iterator[str]:
    """Return every list, its searches, filters, orders and far pages, and every page of a row."""
    from django.contrib import admin
    from django.urls import reverse

    from versioning.models import UpgradeRecord

    yield reverse("admin:index")
    yield reverse("admin:index") + "?verdict=upgrade&owner=mine"
    for page in ("upgraderecord_held", "trackedmodel_retirements"):
        yield reverse(f"admin:versioning_{page}") + "?p=3"
    waiting = UpgradeRecord.objects.filter(state="recommended").order_by("-pk").first()
    if waiting is not None:
        pair = COMPARED.format(**vars(waiting))
        yield f"{reverse('admin:versioning_modelversion_compare')}?{pair}"
        yield reverse("admin:versioning_upgraderecord_change", args=[waiting.pk])
    for model, pages in admin.site._registry.items():
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        changelist = reverse(f"{base}_changelist")
        yield changelist
        for query in _queries(pages):
            yield f"{changelist}?{query}"
        yield from _of_row(base, pages)
        for name in pages.autocomplete_fields:
            about = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}"
            yield f"{reverse('admin:autocomplete')}?{about}&field_name={name}&term=1"


def _of_row(base: str, pages: "ModelAdmin[Any]") -> Iterator[str]:
    """Return the form of a new row, the newest row's page and history, and what lies beside."""
    from django.urls import NoReverseMatch, reverse

    from versioning.admin.base import SUBJECTS

    model = pages.model
    newest = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    yield reverse(f"{base}_add")
    if newest is not None:
        yield reverse(f"{base}_change", args=[newest])
        yield reverse(f"{base}_history", args=[newest])
    for pattern in pages.get_urls():
        parts = re.findall(r"<int:(\w+)>", str(pattern.pattern))
        tables = [SUBJECTS.get(part) or model for part in parts]
        keys = [_key_of(table) for table in tables]
        if pattern.name and None not in keys and f"admin:{pattern.name}".startswith(f"{base}_"):
            try:
                address = reverse(f"admin:{pattern.name}", args=keys)
            except NoReverseMatch:  # one of Django's own, which are above
                continue
            if address != reverse(f"{base}_add") and address != reverse(f"{base}_changelist"):
                yield address


def _key_of(table: Any) -> Any:
    """Return the key of a row that its pages are made for: of upgrades one that waits."""
    rows = table._default_manager.order_by("-pk")
    if table.__name__ == "UpgradeRecord":
        rows = rows.filter(state="recommended")
    return rows.values_list("pk", flat=True).first()


def _queries(pages: "ModelAdmin[Any]") -> Iterator[str]:
    """Return a query for each search, page, order and value of a filter."""
    rows = pages.model._default_manager.count()
    if rows > pages.list_per_page:
        yield "p=2"
        yield f"p={min(rows // pages.list_per_page, 2_000)}"
    if pages.search_fields:
        for words in world.SEARCHES:
            yield f"q={words}"
    for number, name in enumerate(pages.list_display, start=1):
        if _is_sortable(pages, str(name)):
            yield f"o={number}"
            yield f"o=-{number}"
    for each in pages.list_filter:
        yield from _values(pages, each)


def _is_sortable(pages: "ModelAdmin[Any]", name: str) -> bool:
    shown = getattr(pages, name, None)
    return shown is None or getattr(shown, "admin_order_field", None) is not None


def _values(pages: "ModelAdmin[Any]", each: Any) -> Iterator[str]:
    """Return a query for some values of one filter."""
    from django.contrib.admin import EmptyFieldListFilter, SimpleListFilter
    from django.db.models import Field, ForeignKey

    if isinstance(each, type) and issubclass(each, SimpleListFilter):
        found = each(None, {}, pages.model, pages)  # type: ignore[arg-type]
        for value, _ in found.lookups(None, pages) or ():  # type: ignore[arg-type]
            yield f"{each.parameter_name}={value}"
        return
    name, kind = each if isinstance(each, tuple) else (each, None)
    if kind is EmptyFieldListFilter:
        yield from (f"{name}__isempty={value}" for value in (0, 1))
        return
    field: Any = pages.model
    for part in name.split("__"):
        field = field._meta.get_field(part)
        if isinstance(field, ForeignKey):
            field = field.related_model
    if isinstance(field, Field) and field.choices:
        for value, _ in field.choices:
            yield f"{name}__exact={value}" if kind is None else f"{name}={value}"
    elif isinstance(field, Field):
        yield from (f"{name}__exact={value}" for value in (0, 1))
    else:
        yield f"{name}__id__exact={field._default_manager.values_list('pk', flat=True).first()}"


def of_api(client: "Client", headers: dict[str, str]) -> Iterator[str]:
    """Return every address that answers GET, with the first row of the list that it lies below."""
    from versioning.api.urls import urlpatterns

    for pattern in urlpatterns:
        route = str(pattern.pattern)
        view = getattr(pattern.callback, "view_class", None)
        if not pattern.name or pattern.name in NOT_OF_TABLES or not hasattr(view, "get"):
            continue
        address = _filled(client, headers, route)
        if address is None:
            continue
        yield address
        if "<" not in route:
            yield f"{address}?limit=100"


def _filled(client: "Client", headers: dict[str, str], route: str) -> str | None:
    """Return a route as an address: a part that names a row has the first of the list before it."""
    route = route.replace("<slug:provider>", world.PROVIDER).replace("<path:model>", world.MODEL)
    while found := re.search(r"<\w+:(\w+)>", route):
        before = route[: found.start()].rstrip("/")
        answer = client.get(f"/{before}", headers=headers)
        rows = answer.json().get("results") if answer.status_code == 200 else None
        if not rows:
            return None
        keys = ("slug", "name") if "<slug" in found[0] else ("id",)
        named = next((rows[0][key] for key in keys if key in rows[0]), None)
        if named is None:
            return None
        route = f"{route[: found.start()]}{named}{route[found.end() :]}"
    return f"/{route}"
