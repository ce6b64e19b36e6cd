"""First a page that says what a decision will do, then the act.

One record from its own page and many from the list go the same way.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from versioning.admin import advice, decision_sheet, forms, words
from versioning.admin.base import actor_of
from versioning.admin.decisions import Act, Choice, may_make
from versioning.domain.evidence import read
from versioning.domain.transitions import State
from versioning.models import UpgradeRecord
from versioning.services import clock
from versioning.services.errors import Invalid, ServiceError
from versioning.services.upgrades import briefing

SHOWN_REFUSALS = 10
TEMPLATE = "admin/versioning/upgraderecord/decide.html"


@dataclass(frozen=True, slots=True)
class DecidedRecords:
    """What was decided, and what is to be shown once more."""

    made: Sequence[UpgradeRecord]
    again: Sequence[UpgradeRecord]


def decide(
    *,
    request: HttpRequest,
    model_admin: "ModelAdmin[Any]",
    choice: Choice,
    records: Sequence[UpgradeRecord],
    action: str = "",
) -> HttpResponse:
    """Show what the decision would do, or make it once it is confirmed.

    ``action`` is the list's action that asked for many records, empty for a single one.
    """
    if not may_make(request=request, choice=choice):
        raise PermissionDenied
    now = clock.now()
    possible = [record for record in records if choice.is_possible(record)]
    confirmed = request.POST.get("confirmed") == choice.name
    if not confirmed and not possible:
        for record in records[:SHOWN_REFUSALS]:
            messages.warning(request, _not_possible(record, choice))
        return HttpResponseRedirect(_after(request, records, is_bulk=bool(action)))
    cards = _cards(choice=choice, records=records if confirmed else possible, now=now)
    form = _form(choice, request.POST if confirmed else None, cards)
    if confirmed and form.is_valid():
        outcome = _make_all(request=request, choice=choice, form=form, records=records, now=now)
        if form.is_valid():
            return HttpResponseRedirect(
                _after(request, outcome.made or records, is_bulk=bool(action))
            )
        # To decide is to look at the evidence again: it may be other than what was read above.
        cards = _cards(choice=choice, records=_read_again(outcome.again), now=now)
        refused, form = form, _form(choice, request.POST, cards)
        for field, errors in refused.errors.as_data().items():
            form.add_error(None if field == NON_FIELD_ERRORS else field, errors)
    shown = [card["brief"].record for card in cards]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{choice.verb}: {_subject(records)}",
        "opts": model_admin.model._meta,
        "belongs_to": records[0] if len(records) == 1 and not action else None,
        "decision": choice,
        "verb": _("Approve anyway") if _is_against(cards) else choice.verb,
        "form": form,
        "cards": cards,
        "impossible": [
            _not_possible(record, choice)
            for record in records
            if record not in possible and record not in shown
        ],
        "action": action,
        "next": _wanted_next(request),
        "back": _after(request, records, is_bulk=bool(action)),
    }
    return TemplateResponse(request, TEMPLATE, context)


def _make_all(
    *,
    request: HttpRequest,
    choice: Choice,
    form: forms.DecisionForm,
    records: Collection[UpgradeRecord],
    now: datetime,
) -> DecidedRecords:
    """Make the decision on each record by itself, and report the numbers.

    What was refused is shown again, with the reason and with what was typed.
    """
    made: list[UpgradeRecord] = []
    again: list[UpgradeRecord] = []
    refused: list[str] = []
    for record in records:
        act = Act(
            record=record,
            data=form.cleaned_data,
            form=form,
            evidence_hash=request.POST.get(f"evidence-{record.pk}", ""),
            actor=actor_of(request),
            now=now,
        )
        try:
            made.append(choice.make(act))
        except Invalid as error:
            forms.add_errors(form, error, otherwise=form.field_of_errors)
            again = [each for each in records if each not in made]
            break  # the form is the same for all
        except ServiceError as error:
            refused.append(
                _("%(record)s: %(error)s What you wrote is kept.")
                % {"record": record, "error": error}
            )
            again.append(record)
    for sentence in refused[:SHOWN_REFUSALS]:
        form.add_error(None, sentence)
    if len(refused) > SHOWN_REFUSALS:
        form.add_error(
            None,
            _("%(shown_refusals)s more were not %(done)s.")
            % {"shown_refusals": len(refused) - SHOWN_REFUSALS, "done": choice.done},
        )
    _report(request=request, choice=choice, made=made)
    return DecidedRecords(made=made, again=again)


def _report(*, request: HttpRequest, choice: Choice, made: Sequence[UpgradeRecord]) -> None:
    if len(made) == 1:
        messages.success(request, _news(choice, made[0]))
    elif made:
        messages.success(
            request,
            ngettext("%(n)s upgrade was %(done)s.", "%(n)s upgrades were %(done)s.", len(made))
            % {"n": len(made), "done": choice.done},
        )


def _news(choice: Choice, record: UpgradeRecord) -> str:
    name = record.tracked_model.name
    if State(record.state) is State.COMPLETED and choice.of_canary is None:
        return _("%(done)s: %(name)s is at %(to_version_label)s now.") % {
            "done": choice.done.capitalize(),
            "name": name,
            "to_version_label": record.to_version.label,
        }
    if choice.name == "approve" and record.is_waiting:
        return _("Your approval of %(record)s is noted; it waits for somebody else's.") % {
            "record": record
        }
    if choice.name == "approve":
        return _("Approved: %(record)s is on its course (%(state)s).") % {
            "record": record,
            "state": record.get_state_display(),
        }
    return f"{choice.done.capitalize()}: {record}."


def _cards(
    *, choice: Choice, records: Sequence[UpgradeRecord], now: datetime
) -> list[dict[str, Any]]:
    """Return what the page shows of each record."""
    if choice.of_canary is not None:
        briefings = briefing.of_canaries(records=records)
    elif choice.name == "roll_back":
        briefings = briefing.of_rollbacks(records=records, now=now)
    else:
        briefings = briefing.of_approvals(records=records, now=now)
    return [
        {
            "brief": brief,
            "sheet": decision_sheet.of_evidence(read(brief.record.evidence)),
            "proof": words.proof(brief.record),
            "state": words.state(brief.record),
            "after_retires": words.retirement(brief.after, now=now),
            "not_known": advice.not_known(brief.record) if choice.name == "approve" else [],
            "is_against": advice.is_against(
                choice, brief.record, gathers_evidence=not brief.at_once
            ),
        }
        for brief in briefings
    ]


def _form(choice: Choice, data: Any, cards: Sequence[Mapping[str, Any]]) -> forms.DecisionForm:
    """Return the decision's form, which asks why where the evidence doesn't speak for it."""
    form = choice.form(data)
    if _is_against(cards):
        form.require_reason()
    return form


def _is_against(cards: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the evidence of any record doesn't speak for the decision."""
    return any(card["is_against"] for card in cards)


def _read_again(records: Sequence[UpgradeRecord]) -> list[UpgradeRecord]:
    """Return the records as they are stored now, in the same order."""
    found = UpgradeRecord.objects.with_versions().in_bulk([record.pk for record in records])
    return [found[record.pk] for record in records if record.pk in found]


def _subject(records: Sequence[UpgradeRecord]) -> str:
    return (
        str(records[0])
        if len(records) == 1
        else ngettext("%(n)s upgrade", "%(n)s upgrades", len(records)) % {"n": len(records)}
    )


def _not_possible(record: UpgradeRecord, choice: Choice) -> str:
    return _("%(record)s can't be %(done)s: its state is “%(state)s”.") % {
        "record": record,
        "state": record.get_state_display(),
        "done": choice.done,
    }


def _wanted_next(request: HttpRequest) -> str:
    return "inbox" if "inbox" in (request.GET.get("next"), request.POST.get("next")) else ""


def _after(request: HttpRequest, records: Sequence[UpgradeRecord], *, is_bulk: bool) -> str:
    """Return where to go afterwards: whence the person came."""
    if _wanted_next(request):
        return reverse("admin:index")
    if is_bulk or not records:
        return reverse("admin:versioning_upgraderecord_changelist")
    return reverse("admin:versioning_upgraderecord_change", args=[records[0].pk])
