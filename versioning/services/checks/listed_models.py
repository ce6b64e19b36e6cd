"""Find the model that a person means among those that a provider lists."""

from datetime import datetime

from providers.models import Provider
from versioning.domain.statistics.figures import counted
from versioning.models import CatalogueEntry, Check
from versioning.services.checks import detection
from versioning.services.errors import FieldError, Invalid, NotFound, ServiceError

SUGGESTIONS = 3
LEAST_LIKENESS = 60
"""From 0 to 100, as rapidfuzz scores it; below, a suggestion misleads."""


class NotListed(NotFound):
    """The provider lists no such model, or more than one could be meant."""

    code = "not-listed"


class NotAnswering(ServiceError):
    """The provider could not be asked, so nothing is known of its models."""

    code = "provider-not-answering"
    status = 502


def find_listed(*, provider: Provider, text: str, asked_by: str, now: datetime) -> CatalogueEntry:
    """Return the model with this id, or the only one whose id ends with it after a slash.

    Asks the provider first where it never listed anything. Raises NotListed with near names,
    NotAnswering and detection.AlreadyRunning.
    """
    if not provider.catalogue.exists():
        _ask(provider=provider, asked_by=asked_by, now=now)
    return _meant(provider=provider, text=text)


def upstream_id_of(*, provider: Provider, text: str, pointer: str) -> str:
    """Return the id of the listed model that a request's field means, as ``find_listed`` does.

    A provider that never listed anything is taken at the request's word: it isn't asked here.
    Raises Invalid, with ``pointer`` to the field, in the words of NotListed.
    """
    if not provider.catalogue.exists():
        return text
    try:
        return _meant(provider=provider, text=text).upstream_id
    except NotListed as error:
        raise Invalid(str(error), [FieldError(pointer, error.code, str(error))]) from error


def _meant(*, provider: Provider, text: str) -> CatalogueEntry:
    listed = provider.catalogue.listed()
    exact = listed.filter(upstream_id=text).first()
    if exact is not None:
        return exact
    meant = list(listed.filter(upstream_id__endswith=f"/{text}").order_by("upstream_id")[:5])
    if len(meant) == 1:
        return meant[0]
    if meant:
        ids = ", ".join(entry.upstream_id for entry in meant)
        raise NotListed(f"{text} could be any of {ids}: write the whole id.")
    raise NotListed(f"{provider.slug} lists no {text}.{_suggest(provider=provider, text=text)}")


def default_name(upstream_id: str) -> str:
    """Return the name to track an id under: without the vendor before the last slash."""
    return upstream_id.rstrip("/").rpartition("/")[2] or upstream_id


def _ask(*, provider: Provider, asked_by: str, now: datetime) -> None:
    check = detection.run_check(
        provider_id=provider.pk, trigger=Check.Trigger.COMMAND, asked_by=asked_by, now=now
    )
    if check.state == Check.State.FAILED:
        raise NotAnswering(f"{provider.slug} could not be asked for its models: {check.error}")


def _suggest(*, provider: Provider, text: str) -> str:
    ids = list(provider.catalogue.listed().values_list("upstream_id", flat=True))
    from rapidfuzz import process  # only who mistypes a name needs it

    near = process.extract(text, ids, limit=None, score_cutoff=LEAST_LIKENESS)
    if not near:
        return f" It lists {counted(len(ids), 'model')}."
    # Of those alike the shortest first: they add the least, and rows come in no order of their own.
    closest = sorted((-likeness, len(each), each) for each, likeness, _ in near)
    return f" Did you mean {', '.join(each for _, _, each in closest[:SUGGESTIONS])}?"
