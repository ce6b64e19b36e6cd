"""Weigh what several sources say of one model: both are shown, what can't be so is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db.models import Q

from providers import registry
from providers.base import ListedModel
from providers.models import Provider
from versioning.domain import dates
from versioning.models import CatalogueEntry
from versioning.services import knowledge, prices

LISTED_ON = timedelta(days=7)
"""How long a date that was told before it came is believed while the model is still listed:
providers take a model out of their list some days after it stopped answering."""

_FIRST_SERVED = date(2018, 1, 1)
"""No model that is served today was deprecated before."""


def is_catalogue(provider: Provider) -> bool:
    """Say whether a provider only knows facts about models that others serve."""
    return provider.kind in _kinds_of_catalogues()


def with_catalogues(
    *, provider: Provider, models: Sequence[ListedModel], now: datetime
) -> list[ListedModel]:
    """Fill gaps from the catalogues, which list ``<provider>/<id>``; prices also from a package.

    Where the sources' dates differ, that is said. Prices are those of a service: they fill gaps
    only where it is known to be this one, and staff gave none.
    """
    if is_catalogue(provider):
        return list(models)
    name = provider.options.get("catalogue") or provider.kind
    # A document of dates takes back what it holds no more; other catalogues may miss a row once.
    still_said = ~Q(provider__kind__in=_kinds_of_dates()) | Q(missing_since=None)
    known: dict[str, list[CatalogueEntry]] = {}
    for entry in (
        CatalogueEntry.objects.listed()
        .filter(
            still_said,
            provider__kind__in=_kinds_of_catalogues(),
            upstream_id__startswith=f"{name}/",
        )
        .select_related("provider")
        .order_by("provider__pk", "pk")
    ):
        known.setdefault(entry.upstream_id.removeprefix(f"{name}/"), []).append(entry)
    whose_prices = prices.name_in_lists(provider)
    filled = [
        _with_all(model, known.get(model.id, ()), provider=provider, priced=bool(whose_prices))
        for model in models
    ]
    filled = _with_nature(provider=provider, models=filled)
    priced = prices.from_package(provider=provider, models=filled, at=now)
    checked = {id for id, entries in known.items() if any(map(_has_price, entries))}
    return prices.in_one_unit(listed=models, priced=priced, checked=checked)


def settled(
    models: Iterable[ListedModel], *, known: Mapping[str, CatalogueEntry], today: date
) -> list[ListedModel]:
    """Return the models of a listing without dates that can't be so, each with its doubts.

    ``known`` is the catalogue before this listing. A release that has moved since is none.
    """
    return [
        _without_past_dates(
            _in_order(_with_release(model, known.get(model.id))),
            known=known.get(model.id),
            today=today,
        )
        for model in models
    ]


def _has_price(entry: CatalogueEntry) -> bool:
    return not entry.facts.keys().isdisjoint({"input_price", "output_price"})


def _with_nature(*, provider: Provider, models: Sequence[ListedModel]) -> list[ListedModel]:
    """Fill gaps from whoever else lists the same weights, known by their Hugging Face id.

    Servers of one's own tell little more than a model's id; others tell the same model's context.
    """
    repositories = {
        repository
        for model in models
        if any(getattr(model, name) in (None, ()) for name in knowledge.NATURE)
        and (repository := _repository(model))
    }
    if not repositories:
        return list(models)
    same = CatalogueEntry.objects.listed().filter(
        Q(facts__hugging_face_id__in=repositories)
        | Q(provider__kind="huggingface", upstream_id__in=repositories)
    )
    others: dict[str, list[tuple[ListedModel, str]]] = {}
    for entry in same.exclude(provider=provider).select_related("provider").order_by("pk"):
        other = knowledge.listed_of(entry)
        others.setdefault(_repository(other), []).append((other, entry.provider.slug))
    return [_with_nature_of(model, others.get(_repository(model), ())) for model in models]


def _repository(model: ListedModel) -> str:
    """Return the Hugging Face id of a model's weights; an id of such a shape counts as one."""
    is_one = model.id.count("/") == 1 and model.id[0] not in "/.~@"
    return model.hugging_face_id or (model.id if is_one else "")


def _with_nature_of(model: ListedModel, others: Iterable[tuple[ListedModel, str]]) -> ListedModel:
    for other, who in others:
        model = knowledge.with_nature_of(model, other, who=who)
    return model


def _with_all(
    model: ListedModel, entries: Iterable[CatalogueEntry], *, provider: Provider, priced: bool
) -> ListedModel:
    """Add the catalogues' facts; a model without prices gets theirs only where ``priced``."""
    who, priced = provider.slug, priced or prices.are_told(model)
    for entry in entries:
        other = knowledge.listed_of(entry)
        told = other if priced else prices.without(other)
        model, who = _merged(model, told, whose=entry.provider.slug, who=who)
    return model


def _merged(
    model: ListedModel, other: ListedModel, *, whose: str, who: str
) -> tuple[ListedModel, str]:
    """Add what a catalogue says; return also who told the retirement that is kept."""
    doubts = [
        f"{who} says that {what} on {dates.day(ours)}, {whose} on {dates.day(theirs)}: the earlier "
        "is kept."
        for what, ours, theirs in (
            ("it is deprecated", model.deprecated_on, other.deprecated_on),
            ("it retires", model.retires_on, other.retires_on),
        )
        if ours and theirs and ours != theirs
    ]
    if model.retires_on and other.retires_on and other.retires_on < model.retires_on:
        model = replace(
            model,
            retires_on=other.retires_on,
            retires_precision=other.retires_precision,
            source=other.source,
        )
        who = whose
    elif model.retires_on is None and other.retires_on:
        who = whose
    if model.deprecated_on and other.deprecated_on:
        model = replace(model, deprecated_on=min(model.deprecated_on, other.deprecated_on))
    filled = knowledge.with_facts_of(model, replace(other, doubts=()), who=whose)
    return replace(filled, doubts=(*model.doubts, *doubts)), who


def _with_release(model: ListedModel, known: CatalogueEntry | None) -> ListedModel:
    """Take back a release that was read from a moment which moves from check to check."""
    if model.created is None or known is None or known.created_said is None:
        return model
    moved = known.created_said != model.created.date()
    return replace(model, released=None) if moved else model


def _in_order(model: ListedModel) -> ListedModel:
    """Keep the earlier of two dates that can't both be: a retirement before its deprecation."""
    deprecated, retires = model.deprecated_on, model.retires_on
    if deprecated is None or retires is None or deprecated <= retires:
        return model
    doubt = (
        f"It is said to retire on {dates.day(retires)}, before it is deprecated on "
        f"{dates.day(deprecated)}: the earlier date is kept."
    )
    return replace(model, deprecated_on=None, doubts=(*model.doubts, doubt))


def _without_past_dates(
    model: ListedModel, *, known: CatalogueEntry | None, today: date
) -> ListedModel:
    deprecated, retires = model.deprecated_on, model.retires_on
    if deprecated is not None and deprecated < max(model.released or _FIRST_SERVED, _FIRST_SERVED):
        doubt = (
            f"It is said to be deprecated since {dates.day(deprecated)}, before it was released."
        )
        model = replace(model, deprecated_on=None, doubts=(*model.doubts, doubt))
    if retires is None or retires >= today:
        return model
    was_told = known is not None and known.facts.get("retires_on") == retires.isoformat()
    if was_told and today <= retires + LISTED_ON:
        return model
    doubt = (
        f"It is said to have retired on {dates.day(retires)}, and it is listed: the date is not "
        "believed."
    )
    return replace(model, retires_on=None, retires_precision=None, doubts=(*model.doubts, doubt))


def _kinds_of_catalogues() -> list[str]:
    return [adapter.kind for adapter in registry.adapter_classes() if adapter.is_enrichment]


def _kinds_of_dates() -> list[str]:
    return [
        adapter.kind
        for adapter in registry.adapter_classes()
        if adapter.is_enrichment and adapter.supports_retirement
    ]
