"""What people ask lists for again and again, each under a name of theirs."""

from django.db.models import QuerySet

from versioning.models import SavedFilter
from versioning.services.errors import Invalid
from versioning.services.transactions import one_transaction

MOST = 30
"""The most that a person keeps of one list: more would be a list of their own."""


def of(*, user_id: int, page: str) -> QuerySet[SavedFilter]:
    """Return a person's filters of a list, by name."""
    return SavedFilter.objects.filter(user=user_id, page=page).order_by("name", "pk")


@one_transaction
def save(*, user_id: int, page: str, name: str, query: str) -> SavedFilter:
    """Keep what a list is asked for; a name that is there gets the new meaning. Raises Invalid."""
    name = name.strip()
    if not name or not query:
        raise Invalid("A filter needs a name, and something that the list is asked for.")
    theirs = of(user_id=user_id, page=page)
    if theirs.exclude(name=name).count() >= MOST:
        raise Invalid(f"There are {MOST} filters of this list: delete one first.")
    row = SavedFilter(user_id=user_id, page=page, name=name, query=query)
    row.clean_fields()
    kept, _ = SavedFilter.objects.update_or_create(
        user_id=user_id, page=page, name=name, defaults={"query": query}
    )
    return kept


def forget(*, user_id: int, filter_id: int) -> None:
    """Delete one of a person's filters; nothing happens where it is gone already."""
    SavedFilter.objects.filter(user=user_id, pk=filter_id).delete()
