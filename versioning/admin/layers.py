"""What was measured of an upgrade, in words: the newest on its page, all on one of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from versioning.admin import decision_sheet, words
from versioning.domain.evidence import Evidence
from versioning.models import Look, UpgradeRecord
from versioning.services import clock
from versioning.services.upgrades import layers
from versioning.services.upgrades.layers import Layer

ON_THE_SHEET = 8
PER_PAGE = 25
TONES = {
    "wait": "plain",
    "pause": "warn",
    "advance": "good",
    "complete": "good",
    "abort": "bad",
    "good": "good",
    "worse": "bad",
    "rolled_back": "warn",
    "no_data": "warn",
    "overtaken": "plain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """One layer in words; ``sheet`` is None for tests, which have a page of their own."""

    title: str
    at: datetime
    measured: SafeString
    on: str
    outcome: SafeString
    says: str
    sheet: decision_sheet.Sheet | None
    run_id: int | None
    evidence_hash: str


def of_record(record: UpgradeRecord, *, now: datetime) -> dict[str, Any]:
    """Return the newest layers of a record for its page, and how many there are."""
    found = layers.find(record=record)
    return {"layers": rows(found[:ON_THE_SHEET], now=now), "layer_count": len(found)}


def page(request: HttpRequest, record_id: int) -> HttpResponse:
    """Show all layers of an upgrade, the newest first."""
    if not request.user.has_perm("versioning.view_upgraderecord"):
        raise PermissionDenied
    record = get_object_or_404(UpgradeRecord.objects.with_versions(), pk=record_id)
    shown = Paginator(layers.find(record=record), PER_PAGE).get_page(request.GET.get("p"))
    context = {
        **admin.site.each_context(request),
        "title": _("What was measured: %(upgrade)s") % {"upgrade": record},
        "opts": UpgradeRecord._meta,
        "belongs_to": record,
        "record": record,
        "page": shown,
        "layer_count": shown.paginator.count,
        "layers": rows(list(shown), now=clock.now()),
    }
    return TemplateResponse(request, "admin/versioning/upgraderecord/evidence.html", context)


def rows(found: Sequence[layers.FoundLayer], *, now: datetime) -> list[LayerRow]:
    return [_row(layer, now=now) for layer in layers.read_layers(found)]


def measured(moment: datetime | None, evidence: Evidence, *, now: datetime) -> SafeString:
    """Say when figures were measured; empty where nothing was.

    On how many scores, the sheet says beside each figure.
    """
    if moment is None or not evidence.is_measured:
        return SafeString("")
    return format_html(_("measured {}"), words.ago(moment, now=now))


def on_scores(evidence: Evidence) -> str:
    """Say on how many scores of the earlier and of the new version evidence rests."""
    before, after = evidence.quality.n_current, evidence.quality.n_candidate
    if not before and not after:
        return _("without scores")
    return _("scores: %(before)s and %(after)s") % {"before": f"{before:,}", "after": f"{after:,}"}


def outcome(name: str) -> SafeString:
    """Return what a look or a watch led to, as a label; empty where that is no name of one."""
    if name not in TONES:
        return SafeString("")
    return words.badge(str(dict(Look.OUTCOMES)[name]), TONES[name])


def _row(layer: Layer, *, now: datetime) -> LayerRow:
    ago = words.ago(layer.found.at, now=now)
    measured_at = format_html(
        _("measured by {} at the latest") if layer.at_the_latest else _("measured {}"), ago
    )
    return LayerRow(
        title=_title(layer),
        at=layer.found.at,
        measured=measured_at,
        on=_on(layer),
        outcome=_outcome(layer),
        says=layer.says,
        sheet=None if layer.evidence is None else decision_sheet.of_evidence(layer.evidence),
        run_id=layer.run.pk if layer.run else None,
        evidence_hash=layer.evidence_hash,
    )


def _title(layer: Layer) -> str:
    title = layer.title[:1].upper() + layer.title[1:]
    if layer.position is None:
        return title
    return _("%(title)s, step %(step)s") % {"title": title, "step": layer.position + 1}


def _on(layer: Layer) -> str:
    if layer.result is not None:
        cases = layer.result.cases
        one_or_more = ngettext_lazy("on %(n)s case", "on %(n)s cases", "c")
        return "" if cases is None else words.counted(cases, one_or_more)
    if layer.evidence is None or not layer.evidence.is_measured:
        return _("nothing was measured")
    on = on_scores(layer.evidence)
    if layer.samples is None:
        return on
    since = words.counted(
        layer.samples,
        ngettext_lazy(
            "%(n)s request since the canary began", "%(n)s requests since the canary began", "c"
        ),
    )
    return f"{on}; {since}"


def _outcome(layer: Layer) -> SafeString:
    return words.verdict(layer.outcome) if layer.run is not None else outcome(layer.outcome)
