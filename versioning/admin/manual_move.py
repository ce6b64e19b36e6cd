"""Move a model to a version that nothing recommends now, such as one that was rejected before."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from versioning.admin import advice, forms, words
from versioning.admin.base import actor_of
from versioning.domain.transitions import State
from versioning.models import ModelVersion, TrackedModel, UpgradeRecord
from versioning.services import clock
from versioning.services.errors import Invalid, ServiceError
from versioning.services.upgrades import decisions

MOST_SHOWN = 20
AGAINST = (State.REJECTED, State.ROLLED_BACK, State.ABORTED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last word against a version, which is known all the same."""

    record: UpgradeRecord
    said: str
    ago: str


def may_move(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("versioning.approve_upgrade"))


def decided_against(tracked: TrackedModel) -> list[Refusal]:
    """Return the versions whose last record ended against them, the latest twenty."""
    return _refusals(_against(tracked)[:MOST_SHOWN])


def _against(tracked: TrackedModel) -> QuerySet[UpgradeRecord]:
    """Return the last record of each version that is known, where it ended against it."""
    records = UpgradeRecord.objects.filter(tracked_model=tracked).order_by()
    last = records.values("to_version").annotate(last=Max("pk")).values("last")
    found = UpgradeRecord.objects.with_versions().filter(pk__in=last, state__in=AGAINST)
    found = found.exclude(to_version=tracked.current_version_id).filter(to_version__gone_at=None)
    return found.prefetch_related("steps").order_by("-pk")


def _refusals(records: Iterable[UpgradeRecord]) -> list[Refusal]:
    now = clock.now()
    return [
        Refusal(record=each, said=_last_words(each), ago=words.ago(each.changed_at, now=now))
        for each in records
    ]


def _last_words(record: UpgradeRecord) -> str:
    step = max(record.steps.all(), key=lambda step: step.pk, default=None)
    if step is None:
        return record.get_state_display()
    said = _("%(state)s, by %(who)s") % {
        "state": words.STEP_WORDS.get(record.state, record.get_state_display()),
        "who": step.actor_name,
    }
    return words.sentence(f"{said}: {step.reason}" if step.reason else said)


def move(
    request: HttpRequest, *, model_admin: Any, tracked_model_id: int, version_id: int
) -> HttpResponse:
    """Say what moving would do and what was said against it, then move once it is confirmed."""
    if not may_move(request):
        raise PermissionDenied
    tracked = get_object_or_404(
        TrackedModel.objects.select_related("provider", "current_version"), pk=tracked_model_id
    )
    version = get_object_or_404(ModelVersion, pk=version_id, tracked_model=tracked)
    page_of_model = reverse("admin:versioning_trackedmodel_change", args=[tracked.pk])
    if version.pk == tracked.current_version_id:
        told = _("%(model)s is at %(version)s already.")
        messages.info(request, told % {"model": tracked.name, "version": version.label})
        return HttpResponseRedirect(page_of_model)
    form = forms.ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        record = _move(request, form=form, tracked=tracked, version=version)
        if record is not None:
            page = reverse("admin:versioning_upgraderecord_change", args=[record.pk])
            return HttpResponseRedirect(page)
    against = _refusals(_against(tracked).filter(to_version=version))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Move %(tracked_name)s to %(version_label)s")
        % {"tracked_name": tracked.name, "version_label": version.label},
        "opts": model_admin.opts,
        "belongs_to": tracked,
        "tracked": tracked,
        "version": version,
        "form": form,
        "against": against,
        "not_known": [each for one in against for each in advice.not_known(one.record)],
        "back": page_of_model,
    }
    return TemplateResponse(request, "admin/versioning/trackedmodel/move.html", context)


def _move(
    request: HttpRequest, *, form: forms.ReasonForm, tracked: TrackedModel, version: ModelVersion
) -> UpgradeRecord | None:
    try:
        record = decisions.request_upgrade(
            tracked=tracked,
            to_version=str(version.pk),
            actor=actor_of(request),
            now=clock.now(),
            reason=form.cleaned_data["reason"],
        )
    except Invalid as error:
        forms.add_errors(form, error, otherwise="reason")
        return None
    except ServiceError as error:
        form.add_error(None, _("%(error)s What you wrote is kept.") % {"error": error})
        return None
    if record.state == State.COMPLETED:
        messages.success(
            request,
            _("%(tracked_name)s is at %(version_label)s now.")
            % {"tracked_name": tracked.name, "version_label": version.label},
        )
    else:
        messages.success(request, f"{record} is {record.get_state_display()}.")
    return record
