"""An event as it leaves the machine: ids, words and links, in the form of Standard Webhooks."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from versioning.domain.events import EventKind
from versioning.models import Event


def id_of(event: Event) -> str:
    """Return the id by which a taker knows an event, however often it comes."""
    return f"event_{event.pk}"


def of(event: Event) -> dict[str, Any]:
    """Return the message of an event, as JSON: its type, when it happened, and what."""
    return {
        "type": event.kind,
        "timestamp": event.at.isoformat(),
        "data": {
            "id": event.pk,
            "schema_version": event.version,
            "sentence": event.sentence,
            "actor_kind": event.actor_kind,
            "actor_name": event.actor_name,
            "link": link_of(event),
            **event.payload,
        },
    }


def link_of(event: Event) -> str:
    """Return the page where people see what it is about; empty where nobody said its address."""
    base = settings.HOTSWAP["PUBLIC_URL"]
    return f"{base}{page_of(event)}" if base else ""


def page_of(event: Event) -> str:
    """Return the path of the admin's page where people see what an event is about."""
    page = _PAGES.get(EventKind(event.kind))
    if page is not None:
        return reverse(page)
    run_id = event.payload.get("run_id")
    if run_id is not None:
        return reverse("admin:versioning_evaluationrun_change", args=[run_id])
    if event.record_id is not None:
        return reverse("admin:versioning_upgraderecord_change", args=[event.record_id])
    if event.model_version_id is not None:
        return reverse("admin:versioning_modelversion_change", args=[event.model_version_id])
    if event.tracked_model_id is not None:
        return reverse("admin:versioning_trackedmodel_change", args=[event.tracked_model_id])
    return reverse("admin:providers_provider_change", args=[event.provider_id])


_PAGES: Mapping[EventKind, str] = {
    EventKind.UNTRACKED: "admin:versioning_unknownmodel_changelist",
    EventKind.AUTOMATION_OFF: "admin:versioning_automationswitch_changelist",
    EventKind.AUTOMATION_ON: "admin:versioning_automationswitch_changelist",
    EventKind.SECOND_FACTOR: "admin:auth_user_second_factor",
    EventKind.DIGEST: "admin:versioning_recipient_changelist",
}
"""Where those kinds are seen that are about no single row."""
