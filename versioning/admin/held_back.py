"""The page "Held back, and why": newer versions that aren't in use, and the way to release each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.models import Provider
from versioning.admin import manual_move, words
from versioning.admin.base import SETTINGS, caller_of
from versioning.domain.evidence import read
from versioning.domain.policy import Rule
from versioning.services import clock
from versioning.services.upgrades import held_back
from versioning.services.upgrades.held_back import HeldId, HeldVersion, Why

PER_PAGE = 50
NAMES: Mapping[Why, Any] = {
    Why.REFUSED: gettext_lazy("not callable"),
    Why.FAILED: gettext_lazy("tests failed"),
    Why.ABORTED: gettext_lazy("canary aborted"),
    Why.ROLLED_BACK: gettext_lazy("rolled back"),
    Why.REJECTED: gettext_lazy("rejected"),
    Why.SNOOZED: gettext_lazy("snoozed"),
    Why.MAYBE: gettext_lazy("a maybe"),
    Why.WAITS: gettext_lazy("waits"),
    Why.PREVIEWS: gettext_lazy("previews not allowed"),
    Why.LOOK_ALIKE: gettext_lazy("looks like the one in use"),
    Why.STAFF_RULE: gettext_lazy("kept out by a rule"),
}
TONES = {Why.REFUSED: "bad", Why.FAILED: "bad", Why.ABORTED: "bad", Why.ROLLED_BACK: "warn"}


@dataclass(frozen=True, slots=True)
class ReleaseLink:
    """The way to let a version go on: what to do, and where."""

    verb: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """One version that is held back, in words."""

    link: str
    name: str
    badge: SafeString
    sentence: str
    release: ReleaseLink | None


def page(request: HttpRequest) -> HttpResponse:
    """Show all that is held back, or what the address asks for: a reason, a provider, an owner."""
    if not request.user.has_perm("versioning.view_upgraderecord"):
        raise PermissionDenied
    asked = {name: request.GET.get(name, "") for name in ("why", "provider", "owner")}
    found = held_back.find(
        provider_slug=asked["provider"], owner=asked["owner"], caller=caller_of(request)
    )
    counts = found.counts
    if asked["why"] in NAMES:
        found = found.only({Why(asked["why"])})
    shown = Paginator(found.ids, PER_PAGE).get_page(request.GET.get("p"))
    now = clock.now()
    context = {
        **admin.site.each_context(request),
        "title": _("Held back, and why"),
        "asked": asked,
        "reasons": [(why.value, name, counts[why]) for why, name in NAMES.items() if counts[why]],
        "all": sum(counts.values()),
        "providers": Provider.objects.order_by("slug").values_list("slug", flat=True),
        "page": shown,
        "rows": rows(held_back.read(list(shown), now=now), request=request, now=now),
    }
    return TemplateResponse(request, "admin/versioning/upgraderecord/held.html", context)


def rows(
    found: Sequence[HeldVersion | HeldId], *, request: HttpRequest, now: datetime
) -> list[HeldRow]:
    may_move = manual_move.may_move(request)
    return [
        _of_id(each)
        if isinstance(each, HeldId)
        else HeldRow(
            link=reverse("admin:versioning_upgraderecord_change", args=[each.record.pk]),
            name=f"{each.record.tracked_model} {_labels(each)}",
            badge=_badge(each),
            sentence=_sentence(each, now=now),
            release=_release(each, may_move=may_move),
        )
        for each in found
    ]


def _of_id(each: HeldId) -> HeldRow:
    """Say of what lineage passed over why, and where that is set."""
    model = reverse("admin:versioning_trackedmodel_change", args=[each.tracked_model.pk])
    settings = f"{model}?{SETTINGS}=1"
    verbs = {
        Why.PREVIEWS: _("Allow previews of this model"),
        Why.LOOK_ALIKE: _("Say that it follows, by a rule"),
        Why.STAFF_RULE: _("See the rules of this model"),
    }
    told = {
        "id": each.upstream_id,
        "day": words.day(clock.local_day(each.since)),
        "why": each.quoted,
    }
    return HeldRow(
        link=model,
        name=f"{each.tracked_model} → {each.upstream_id}",
        badge=words.badge(str(NAMES[each.why])),
        sentence=_("%(id)s is listed, and passed over since %(day)s: %(why)s") % told,
        release=ReleaseLink(verbs[each.why], settings),
    )


def _badge(each: HeldVersion) -> SafeString:
    name = words.badge(str(NAMES[each.why]), TONES.get(each.why, "plain"))
    if each.why is not Why.WAITS:
        return name
    return format_html("{} {}", words.decision(read(each.record.evidence)), name)


def _labels(each: HeldVersion) -> str:
    if each.why is Why.ROLLED_BACK:  # the record goes back: the newer one is where it came from
        return f"{each.record.to_version.label} → {each.version.label}"
    return words.labels(each.record)


def _sentence(each: HeldVersion, *, now: datetime) -> str:
    record, step = each.record, each.step
    match each.why:
        case Why.MAYBE:
            return record.doubt or _("Names and dates leave a doubt.")
        case Why.REFUSED:
            told = {"id": each.version.upstream_id, "why": each.version.answers_why}
            return _("%(id)s is listed, and refused when it was asked for: %(why)s") % told
        case Why.SNOOZED if record.snoozed_until:
            when = words.day(clock.local_day(record.snoozed_until))
            left = words.until_day(clock.local_day(record.snoozed_until), now=now)
            said = _("Snoozed until %(day)s (%(left)s)") % {"day": when, "left": left}
        case Why.WAITS:
            return _of_policy(each)
        case _:
            said = _("%(what)s on %(day)s") % {
                "what": str(NAMES[each.why]).capitalize(),
                "day": words.day(clock.local_day(record.changed_at)),
            }
    if step is not None:
        said += _(" by %(who)s") % {"who": step.actor_name}
        said += f": {step.reason}" if step.reason else ""
    said = said if said.endswith((".", "!", "?")) else f"{said}."
    return f"{said} {each.wakes}".strip()


def _of_policy(each: HeldVersion) -> str:
    if each.stops is None or each.stops.allowed:
        return _("Nothing that is written down stops it: it is looked at every five minutes.")
    return _("It doesn't go by itself. %(why)s") % {"why": each.stops.waits_for}


def _release(each: HeldVersion, *, may_move: bool) -> ReleaseLink | None:
    record = each.record
    sheet = reverse("admin:versioning_upgraderecord_change", args=[record.pk])
    match each.why:
        case Why.MAYBE:
            return ReleaseLink(_("Say yes or no"), sheet)
        case Why.SNOOZED:
            return ReleaseLink(_("Decide it now"), sheet)
        case Why.WAITS:
            return _of_rule(each, sheet=sheet)
        case Why.REFUSED:
            provider = record.tracked_model.provider_id
            where = reverse("admin:providers_provider_change", args=[provider])
            return ReleaseLink(_("Give its key access, then check again"), where)
        case _ if may_move:
            ids = [record.tracked_model_id, each.version.pk]
            return ReleaseLink(
                _("Move to it after all"), reverse("admin:versioning_trackedmodel_move", args=ids)
            )
    return None


def _of_rule(each: HeldVersion, *, sheet: str) -> ReleaseLink:
    rule = each.stops.reasons[0].rule if each.stops and each.stops.reasons else None
    match rule:
        case Rule.PINNED:
            pin = reverse("admin:versioning_trackedmodel_pin", args=[each.record.tracked_model_id])
            return ReleaseLink(_("Unpin it, or decide it in the inbox"), pin)
        case Rule.SWITCH:
            return ReleaseLink(
                _("Switch automation on"), reverse("admin:versioning_automationswitch_changelist")
            )
        case Rule.FREEZE:
            return ReleaseLink(_("See the freeze"), reverse("admin:versioning_freeze_changelist"))
        case Rule.AGE | Rule.WINDOW | Rule.WAY_BACK:
            return ReleaseLink(
                _("Change its policy, or decide it"), reverse("admin:versioning_policy_changelist")
            )
    return ReleaseLink(_("Decide it"), sheet)
