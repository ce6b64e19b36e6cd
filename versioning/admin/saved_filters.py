"""Named filters above the lists and in the inbox: kept by each person for themselves."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from versioning.services import saved_filters
from versioning.services.errors import Invalid

INBOX = "admin:index"
NOT_ASKED = ("p", "all", "e", "_popup", "_to_field", "_changelist_filters")
"""Where in a list one is, and how it is shown: no part of what it is asked for."""


def on_lists(request: HttpRequest) -> dict[str, Any]:
    """Give a list's template the person's filters of it; they are read where it shows them."""
    match = request.resolver_match
    page = match.view_name if match is not None else ""
    if not _is_list(page) or not request.user.is_authenticated:
        return {}
    return {"saved_filters": SimpleLazyObject(lambda: _shown(request, page))}


def save(request: HttpRequest) -> HttpResponse:
    """Keep what the list is asked for under the name that was typed."""
    page, query = request.POST.get("page", ""), _asked(QueryDict(request.POST.get("query", "")))
    address = _address(page, query)
    try:
        kept = saved_filters.save(
            user_id=request.user.pk or 0,
            page=page,
            name=request.POST.get("name", ""),
            query=query,
        )
    except Invalid as error:
        messages.error(request, str(error))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The filter %(name)s is saved.") % {"name": kept.name})
    return HttpResponseRedirect(address)


def forget(request: HttpRequest) -> HttpResponse:
    """Delete one of the person's filters; the list stays as it is shown."""
    named = request.POST.get("filter", "")
    if not named.isdecimal():
        raise Http404
    saved_filters.forget(user_id=request.user.pk or 0, filter_id=int(named))
    messages.success(request, _("The filter is deleted."))
    query = _asked(QueryDict(request.POST.get("query", "")))
    return HttpResponseRedirect(_address(request.POST.get("page", ""), query))


def _shown(request: HttpRequest, page: str) -> dict[str, Any]:
    query = _asked(request.GET)
    rows = [
        {"row": row, "address": _address(page, row.query), "is_current": row.query == query}
        for row in saved_filters.of(user_id=request.user.pk or 0, page=page)
    ]
    is_kept = any(each["is_current"] for each in rows)
    return {"page": page, "query": query, "rows": rows, "may_save": bool(query) and not is_kept}


def _asked(query: QueryDict) -> str:
    """Return what a list is asked for, the same whatever the order in the address."""
    pairs = [(name, value) for name, values in query.lists() for value in values if value]
    kept = QueryDict(mutable=True)
    for name, value in sorted(pair for pair in pairs if pair[0] not in NOT_ASKED):
        kept.appendlist(name, value)
    return kept.urlencode()


def _is_list(page: str) -> bool:
    return page == INBOX or (page.startswith("admin:") and page.endswith("_changelist"))


def _address(page: str, query: str) -> str:
    """Return a list's address. Raises Http404 for what is no list."""
    try:
        where = reverse(page) if _is_list(page) else None
    except NoReverseMatch:
        where = None
    if where is None:
        raise Http404
    return f"{where}?{query}" if query else where
