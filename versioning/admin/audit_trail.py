"""All of one upgrade on a page that prints well, for those who audit it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from versioning.admin import decision_sheet, layers
from versioning.domain.evidence import read
from versioning.models import Comment, UpgradeRecord, UpgradeStep
from versioning.services import clock
from versioning.services.upgrades import audit_trail
from versioning.services.upgrades.audit_trail import AuditEntry, EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """An entry in words; ``sheets`` are what it keeps of evidence, each with its name."""

    entry: AuditEntry
    at: datetime
    what: str
    by: str
    seal: str
    is_intact: bool
    sheets: Sequence[tuple[str, decision_sheet.Sheet]]


def page(request: HttpRequest, record_id: int) -> HttpResponse:
    """Show the audit trail of an upgrade, the oldest first."""
    if not request.user.has_perm("versioning.view_upgraderecord"):
        raise PermissionDenied
    record = get_object_or_404(UpgradeRecord.objects.with_versions(), pk=record_id)
    trail = audit_trail.of_record(record)
    now = clock.now()
    context = {
        **admin.site.each_context(request),
        "title": _("Audit trail: %(upgrade)s") % {"upgrade": record},
        "opts": UpgradeRecord._meta,
        "belongs_to": record,
        "record": record,
        "trail": trail,
        "made_at": now,
        "made_by": request.user.get_username(),
        "rows": [_row(each) for each in trail.entries],
        "layers": layers.rows([each.found for each in trail.layers], now=now),
    }
    return TemplateResponse(request, "admin/versioning/upgraderecord/audit_trail.html", context)


def _row(entry: AuditEntry) -> EntryRow:
    return EntryRow(
        entry=entry,
        at=entry.at,
        what=_what(entry),
        by=f"{entry.actor_name} ({_actor_kind(entry)})",
        seal=_seal(entry),
        is_intact=entry.sealed is not None and not entry.sealed.changed,
        sheets=_sheets(entry),
    )


def _what(entry: AuditEntry) -> str:
    if entry.kind is EntryKind.STEP:
        return str(dict(UpgradeStep._meta.get_field("after").flatchoices)[entry.what])
    if entry.kind is EntryKind.COMMENT:
        return str(Comment.Kind(entry.what).label)
    return entry.what


def _actor_kind(entry: AuditEntry) -> str:
    return str(UpgradeStep.ActorKind(entry.actor_kind).label)


def _seal(entry: AuditEntry) -> str:
    if entry.sealed is None:
        return _("no seal")
    if entry.sealed.changed:
        changed = ", ".join(entry.sealed.changed)
        return _("changed since it was written: %(fields)s") % {"fields": changed}
    if entry.sealed.number is None:
        return _("as it was written; its seal is not in the chain yet")
    return _("as it was written, seal %(number)s") % {"number": entry.sealed.number}


def _sheets(entry: AuditEntry) -> list[tuple[str, decision_sheet.Sheet]]:
    if entry.kind is EntryKind.REPORT:
        named = [(_("promised"), entry.evidence["promised"]), (_("real"), entry.evidence["real"])]
    else:
        named = [("", entry.evidence)] if entry.evidence else []
    return [(name, decision_sheet.of_evidence(read(kept))) for name, kept in named]
