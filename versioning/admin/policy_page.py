"""A model's page: which policy holds for it, in words, and what would happen to it now."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from versioning.admin import policy_lines
from versioning.models import Policy, TrackedModel
from versioning.services import clock
from versioning.services.upgrades import explaining
from versioning.services.upgrades.policies import Resolved


def of(tracked: TrackedModel, *, resolved: Resolved) -> dict[str, Any]:
    """Return what holds for a model, in words, and where its own policy is changed."""
    own = resolved.own
    return {
        "lines": policy_lines.lines(resolved, of=own),
        "own_policy": own,
        "policy_page": where_changed(tracked_model_id=tracked.pk, own=own),
    }


def where_changed(*, tracked_model_id: int, own: Policy | None) -> str:
    """Return the page on which a model's own policy is changed, or made where it has none."""
    if own is not None:
        return reverse("admin:versioning_policy_change", args=[own.pk])
    return f"{reverse('admin:versioning_policy_add')}?tracked_model={tracked_model_id}"


def now(request: HttpRequest, *, model_admin: Any, tracked_model_id: int) -> HttpResponse:
    """Say what would happen to a model now, and which rule stops it."""
    rows = TrackedModel.objects.select_related("provider", "current_version")
    tracked = get_object_or_404(rows, pk=tracked_model_id)
    if not model_admin.has_view_permission(request, tracked):
        raise PermissionDenied
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("What would happen to %(tracked_name)s now") % {"tracked_name": tracked.name},
        "opts": model_admin.opts,
        "belongs_to": tracked,
        "tracked": tracked,
        "found": explaining.explain(tracked_model=tracked, at=clock.now()),
        "back": reverse("admin:versioning_trackedmodel_change", args=[tracked.pk]),
    }
    return TemplateResponse(request, "admin/versioning/trackedmodel/now.html", context)
