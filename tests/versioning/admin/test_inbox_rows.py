"""A row of the inbox: bars, and the same in words; the day; who is asked; what waiting costs."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import NOW, ApiKeyFactory
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import text
from versioning.admin import words
from versioning.models import Approval, ModelVersion, Policy, TrackedModel, UpgradeRecord
from versioning.services import inbox
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

INBOX = reverse("admin:index")
EVIDENCE = {
    "sentence": "quality 0.75 → 0.85, +13 %",
    "decision": "UPGRADE",
    "judgement": {"verdict": "better", "estimate": 0.1, "low": 0.08, "high": 0.12},
    "tasks": [
        {"name": each, "judgement": {"verdict": "better", "estimate": 0.1, "low": 0.0}}
        for each in ("sums", "words")
    ],
    "gates": [
        {"name": "errors", "status": "passed", "limit": "0.01", "value": "0.001", "high": 0.002},
        {
            "name": "cost_per_success",
            "status": "passed",
            "limit": "0.2",
            "value": "-0.3",
            "low": -0.4,
            "high": -0.22,
        },
    ],
}


def row_of(client: Client) -> str:
    page = text(client.get(INBOX))
    row = re.search(r"<article.*?</article>", page, re.DOTALL)
    assert row is not None
    return row.group()


def spoken(html: str) -> str:
    """Return what a screen reader says of it."""
    heard = re.sub(r'<span aria-hidden="true">.*?</span>', "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", heard).split())


def due_in(days: int, **fields: object) -> dt.date:
    """Have the version in use of the one recommendation retire; return the day."""
    day = timezone.localdate() + dt.timedelta(days)
    ModelVersion.objects.filter(label="1.0.0").update(retires_on=day, **fields)
    UpgradeRecord.objects.filter(state="recommended").update(urgent_on=day)
    return day


def test_the_four_figures_stand_in_one_order_as_bars_and_in_words(reviewer: Client) -> None:
    recommend(evidence=EVIDENCE)

    row = row_of(reviewer)

    assert row.count("hs-interval ") == 3  # of all tasks together, and only what is known
    said = spoken(row[row.index("hs-bars") :])
    quality, latency, cost, errors = (
        said.index(each) for each in ("Quality", "Latency", "Cost", "Errors")
    )
    assert quality < latency < cost < errors
    assert "Quality +0.100 : better, surely +0.080 to +0.120" in said
    assert "Latency not known" in said
    assert "Cost -30 % : better, surely -40 to -22 % , at most +20 %".replace(" ,", ",") in said


def test_where_nothing_was_measured_there_are_no_bars(reviewer: Client) -> None:
    recommend(evidence={})

    row = row_of(reviewer)

    assert "hs-bars" not in row
    assert "If nothing is done" not in row


@pytest.mark.parametrize(
    ("precision", "when"),
    [("exact", "{}"), ("earliest", "{} at the earliest"), ("tentative", "about {}")],
)
def test_the_day_is_said_with_what_waiting_costs(
    reviewer: Client, precision: str, when: str
) -> None:
    recommend(evidence=EVIDENCE)
    day = words.day(due_in(12, retires_precision=precision))

    row = row_of(reviewer)

    assert f"1.0.0 retires in 12 days, {day}" in row
    assert f"requests fail from {when.format(day)} on; every request costs at least 22 %" in row


def test_requests_are_told_where_samples_tell_of_them(reviewer: Client) -> None:
    record = recommend()
    due_in(12)
    model = TrackedModel.objects.select_related("provider").get(pk=record.tracked_model_id)
    sample = SampleIn(
        provider=model.provider.slug,
        model=model.name,
        resolved_id="zeta-writer-1",
        time=timezone.now(),
        latency_ms=90,
        cost_usd=Decimal("0.001"),
    )
    ingestion.accept([sample] * 3, api_key_id=ApiKeyFactory().pk, now=timezone.now())

    assert "it had 3 in the last 7 days." in row_of(reviewer)


def test_it_says_who_is_asked_and_who_has_said_yes(reviewer: Client) -> None:
    record = recommend()
    assert "Asks any reviewer." in row_of(reviewer)

    TrackedModel.objects.update(owner="team@x.example")
    Policy.objects.create(approvals_needed=2)
    assert "Asks team@x.example; 2 approvals needed, none given." in row_of(reviewer)

    given = {"record": record, "actor_kind": "staff", "basis": "seen", "given_at": NOW}
    Approval.objects.create(actor_name="ada", **given)
    Approval.objects.create(actor_name="bo", fell_at=NOW, **given)
    assert "2 approvals needed, given by ada." in row_of(reviewer)


def test_the_summary_counts_what_the_page_has_no_room_for(reviewer: Client) -> None:
    for number in range(inbox.SHOWN + 2):
        recommend(name=f"waits-{number}")
        recommend(name=f"moves-{number}", state="testing")

    due_in(3)
    page = text(reviewer.get(INBOX))

    assert page.count("<article") == inbox.SHOWN
    assert f"{inbox.SHOWN + 2} decisions wait · at least {inbox.SHOWN} urgent" in page
    assert f"{inbox.SHOWN + 2} under way" in page
    assert "2 more wait" in page
