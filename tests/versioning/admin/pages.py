"""How tests reach pages: addresses, what a page says, what a decision sends."""

from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from versioning.models import TrackedModel, UpgradeRecord


def address(record: UpgradeRecord, page: str) -> str:
    return reverse(f"admin:versioning_upgraderecord_{page}", args=[record.pk])


def text(response: HttpResponse) -> str:
    return response.content.decode()


def decide(client: Client, record: UpgradeRecord, name: str, **data: Any) -> HttpResponse:
    """Confirm a decision on the evidence of the record as it is given."""
    sent = {
        "confirmed": name,
        f"evidence-{record.pk}": record.evidence_hash,
        **({"reason": "Because."} | data),
    }
    return client.post(address(record, name), sent, follow=True)


def current_label(record: UpgradeRecord) -> str:
    model = TrackedModel.objects.select_related("current_version").get(pk=record.tracked_model_id)
    assert model.current_version is not None
    return model.current_version.label


def outermost(sql: str) -> str:
    """Return a statement without what stands in its brackets."""
    depth, kept = 0, []
    for letter in sql:
        depth += letter == "("
        if not depth:
            kept.append(letter)
        depth -= letter == ")"
    return "".join(kept)
