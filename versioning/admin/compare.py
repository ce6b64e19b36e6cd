"""The page "Compare versions": any two, of any models, by task and slice; as CSV and JSON, too."""

import csv
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget

from versioning.admin import intervals, words
from versioning.admin.base import caller_of
from versioning.admin.picking import version_picker
from versioning.domain.evaluation.cases import as_plain_text
from versioning.domain.evidence import Evidence
from versioning.domain.figures import SHOWN
from versioning.models import ModelVersion
from versioning.services import clock, teams
from versioning.services.evidence.side_by_side import SideBySide, side_by_side
from versioning.services.teams import Caller
from versioning.services.upgrades import policies


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of both."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ComparedVersions:
    """What was asked for, and all that is known of it."""

    before: ModelVersion
    after: ModelVersion
    task: str
    slice_name: str
    evidence: Evidence
    both: SideBySide

    @property
    def is_of_two_models(self) -> bool:
        return self.before.tracked_model_id != self.after.tracked_model_id

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it; the same words as the API's ``compare``."""
        return {
            "from_version": _named(self.before),
            "to_version": _named(self.after),
            "task": self.task or None,
            "slice": self.slice_name or None,
            "verdict": self.evidence.verdict,
            "decision": self.evidence.decision,
            "sentence": self.evidence.sentence,
            "figures": {"from": self.both.before.as_dict(), "to": self.both.after.as_dict()},
            "details": self.evidence.as_dict(),
            "evidence_hash": self.evidence.digest,
        }


class CompareForm(forms.Form):
    """Which two; what is compared on is chosen once they are known."""

    task = forms.CharField(label=gettext_lazy("Task"), required=False, max_length=100)
    slice = forms.CharField(label=gettext_lazy("Slice"), required=False, max_length=200)

    def __init__(self, asked: QueryDict, *, caller: Caller) -> None:
        """Read an address; one that names a single version is a form half filled in."""
        known = asked.copy()
        for name in ("from", "to"):
            if not re.fullmatch(r"[0-9]{1,18}", known.get(name, "")):
                known.pop(name, None)
        is_whole = "from" in known and "to" in known
        super().__init__(known if is_whole else None, initial=known.dict())
        every = ModelVersion.objects.select_related("tracked_model__provider")
        versions = teams.visible(every, caller)
        for name, label in (("from", _("This version")), ("to", _("Against this one"))):
            self.fields[name] = forms.ModelChoiceField(
                versions,
                label=label,
                widget=version_picker(**{"aria-label": label}),
                error_messages={
                    "invalid_choice": _("There is no such version: choose another one.")
                },
            )

        self.order_fields(["from", "to", "task", "slice"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("from") and data.get("from") == data.get("to"):
            self.add_error("to", _("This is the same version: choose another one."))
        return data

    def offer(self, both: SideBySide) -> None:
        """Offer the tasks and slices that one of both has samples of."""
        for name, every, names in (
            ("task", _("all tasks"), both.tasks),
            ("slice", _("all slices"), both.slices),
        ):
            chosen = self.cleaned_data[name]
            known = sorted({*names, *filter(None, [chosen])})
            self.fields[name].widget = UnfoldAdminSelectWidget(
                choices=[("", every), *((each, each) for each in known)]
            )


def compare(request: HttpRequest) -> HttpResponse:
    """Show, or give as a file, what is known of two versions; a form where none are named."""
    if not request.user.has_perm("versioning.view_modelversion"):
        raise PermissionDenied
    form = CompareForm(request.GET, caller=caller_of(request))
    pair = _pair(form, now=clock.now()) if form.is_valid() else None
    given = _FORMATS.get(request.GET.get("format", ""))
    if given is not None:
        return given(pair) if pair else _refused(form)
    return TemplateResponse(
        request,
        "admin/versioning/modelversion/compare.html",
        {
            **admin.site.each_context(request),
            "title": _title(pair),
            "form": form,
            "pair": pair,
            **(_shown(pair, request) if pair else {}),
        },
    )


def _refused(form: CompareForm) -> HttpResponse:
    errors = form.errors or {"from": [_("Name two versions: ?from=ID&to=ID.")]}
    return JsonResponse({"errors": errors}, status=400)


def _pair(form: CompareForm, *, now: datetime) -> ComparedVersions:
    data = form.cleaned_data
    before, after = data["from"], data["to"]
    task, slice_name = data["task"] or None, data["slice"] or None
    both = side_by_side(
        from_id=before.pk, to_id=after.pk, now=now, task=task, slice_name=slice_name
    )
    form.offer(both)
    return ComparedVersions(
        before=before,
        after=after,
        task=data["task"],
        slice_name=data["slice"],
        both=both,
        evidence=policies.compared(
            tracked=before.tracked_model,
            from_version=before,
            to_version=after,
            now=now,
            task=task,
            slice_name=slice_name,
        ),
    )


def _title(pair: ComparedVersions | None) -> str:
    return (
        _("Compare %(before)s with %(after)s") % {"before": pair.before, "after": pair.after}
        if pair
        else _("Compare versions")
    )


def _shown(pair: ComparedVersions, request: HttpRequest) -> dict[str, Any]:
    query = request.GET.copy()
    query.pop("format", None)
    address = query.urlencode()
    return {
        "sentence": words.sentence(pair.evidence.sentence) if pair.evidence.sentence else "",
        "verdict": words.verdict(pair.evidence.verdict),
        "rows": intervals.of_evidence(pair.evidence),
        "warnings": [caution.text for caution in pair.evidence.warnings],
        "figure_rows": figure_rows(pair.both),
        "csv": f"?{address}&format=csv",
        "json": f"?{address}&format=json",
    }


def figure_rows(both: SideBySide) -> list[FigureRow]:
    """Return the figures of both; a dash is unknown."""
    sides = [
        (shown, getattr(both.before, shown.name), getattr(both.after, shown.name))
        for shown in SHOWN
        if shown.pair
    ]
    return [
        FigureRow(shown.pair, words.figure(shown, before), words.figure(shown, after))
        for shown, before, after in sides
        if not (shown.optional and before is None and after is None)
    ]


def _named(version: ModelVersion) -> dict[str, Any]:
    tracked = version.tracked_model
    return {
        "id": version.pk,
        "provider": tracked.provider.slug,
        "model": tracked.name,
        "label": version.label,
        "upstream_id": version.upstream_id,
    }


def _as_json(pair: ComparedVersions) -> HttpResponse:
    return JsonResponse(pair.as_dict())


def _as_csv(pair: ComparedVersions) -> HttpResponse:
    """Return one line per metric and part, then the figures of both."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="comparison.csv"'
    lines = csv.writer(response)
    lines.writerow(["what", "part", "from", "to", "change", "low", "high", "limit", "verdict"])
    for line in _lines(pair):
        lines.writerow(["" if cell is None else as_plain_text(str(cell)) for cell in line])
    return response


def _lines(pair: ComparedVersions) -> list[list[Any]]:
    told = pair.evidence.details
    parts = [("", told), *((p["name"], p) for p in (*told["tasks"], *told["slices"]))]
    found = []
    for name, part in parts:
        quality, judged = part["quality"], part["judgement"]
        ends = [judged[key] for key in ("estimate", "low", "high")]
        found.append(
            [
                "quality",
                name,
                quality["current"],
                quality["candidate"],
                *ends,
                "",
                judged["verdict"],
            ]
        )
    for gate in told["gates"]:
        keys = ("current", "candidate", "value", "low", "high", "limit", "status")
        found.append([gate["name"], "", *(gate[key] for key in keys)])
    before, after = pair.both.before.as_dict(), pair.both.after.as_dict()
    plain = [key for key, value in before.items() if not isinstance(value, dict)]
    return [*found, *([key, "", before[key], after[key], *[""] * 5] for key in plain)]


_FORMATS: Mapping[str, Callable[[ComparedVersions], HttpResponse]] = {
    "csv": _as_csv,
    "json": _as_json,
}
