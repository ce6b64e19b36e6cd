"""The start page: what must start this week, what people should know, the same few queries."""

import datetime as dt

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import NOW
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, text
from versioning.models import CatalogueEntry, ModelVersion, Notice, Policy, UpgradeRecord
from versioning.models.groups import sync_groups
from versioning.services import notices

INBOX = reverse("admin:index")
UPGRADES = reverse("admin:versioning_upgraderecord_changelist")


def retiring(name: str, *, days: int) -> UpgradeRecord:
    """Return a recommendation for a model whose version retires in so many days."""
    record = recommend(name=name)
    day = timezone.localdate() + dt.timedelta(days)
    ModelVersion.objects.filter(pk=record.from_version_id).update(
        retires_on=day, retires_precision="earliest", retires_source="its changelog"
    )
    return record


def tell(record: UpgradeRecord, kind: str, sentence: str) -> None:
    Notice.objects.create(kind=kind, record=record, sentence=sentence, raised_at=NOW)


def test_what_must_start_this_week_comes_first_with_what_it_needs(reviewer: Client) -> None:
    late, soon = retiring("late", days=3), retiring("soon", days=13)
    retiring("calm", days=80)
    Policy.objects.create(required_suites=["answers"], approval_days=2, buffer_days=4)

    page = text(reviewer.get(INBOX))

    starting = page[page.index("Start this week") : page.index("Waits for a decision")]
    assert starting.index("/ late") < starting.index("/ soon")
    assert "/ calm" not in starting
    assert "A move takes 7 days: tests 1 day, approval 2 days, buffer 4 days." in starting
    assert "4 days ago" in starting  # the last safe day of the first one
    assert "at the earliest, says its changelog." in starting
    assert address(late, "change") in starting
    assert address(soon, "change") in starting
    assert "2 moves to start this week" in page
    assert page.index("Retires within 90 days") < page.rindex("calm 1.0.0")


def test_without_a_successor_it_says_what_to_do(reviewer: Client) -> None:
    UpgradeRecord.objects.filter(pk=retiring("lonely", days=3).pk).update(state="rejected")

    page = text(reviewer.get(INBOX))

    assert "No successor waits for a decision" in page[page.index("Start this week") :]


def test_notices_lead_to_their_upgrades_the_worst_first(reviewer: Client) -> None:
    paused, worse = recommend(name="paused"), recommend(name="worse")
    tell(worse, "worse", "Quality fell from 0.9 to 0.7.")
    tell(paused, "canary_paused", "No request <b>used</b> it.")
    tell(paused, "approval_fell", "An approval fell.")
    Notice.objects.filter(kind="approval_fell").update(resolved_at=NOW)

    page = text(reviewer.get(INBOX))

    notices = page[page.index("You should know") : page.index("Waits for a decision")]
    assert notices.index("Quality fell") < notices.index("No request &lt;b&gt;used")
    assert "An approval fell" not in notices
    assert address(worse, "change") in notices


def test_a_fault_is_told_with_what_it_is_about_and_how_often(reviewer: Client) -> None:
    for _ in range(3):
        notices.raise_fault(subject="<worker> process", sentence="It was killed.", now=NOW)

    page = text(reviewer.get(INBOX))

    told = page[page.index("You should know") :]
    assert "&lt;worker&gt; process" in told
    assert "3 times, last" in told
    assert "It was killed." in told


def test_empty_sections_take_no_room(reviewer: Client) -> None:
    recommend()

    page = text(reviewer.get(INBOX))

    for heading in ("Start this week", "You should know", "Retires within", "Under way"):
        assert heading not in page


def test_as_many_queries_for_twenty_models_as_for_two(reviewer: Client) -> None:
    sync_groups()
    Policy.objects.create(canary_steps=[{"weight": 5, "samples": 100}])
    reviewer.get(INBOX)

    def queries(number: int) -> int:
        for n in range(number):
            record = retiring(f"m{number}-{n}", days=3 + n)
            Policy.objects.create(tracked_model=record.tracked_model, approval_days=1)
            tell(record, "worse", "Worse.")
        with CaptureQueriesContext(connection) as asked:
            assert reviewer.get(INBOX).status_code == 200
        return len(asked)

    assert queries(2) == queries(18)


def test_a_maybe_stands_apart_with_its_doubt(reviewer: Client) -> None:
    record = recommend(name="orbit")
    UpgradeRecord.objects.filter(pk=record.pk).update(
        step=UpgradeRecord.Step.MAYBE, doubt="The line split into pro and flash."
    )

    page = text(reviewer.get(INBOX))
    sheet = text(reviewer.get(address(record, "change")))

    assert "Nothing to decide" in page[page.index("Waits for a decision") :]
    assert "The line split into pro and flash." in page[page.index("Maybe a successor") :]
    waiting = text(reviewer.get(f"{UPGRADES}?course=waiting"))
    maybe = text(reviewer.get(f"{UPGRADES}?course=maybe"))
    assert address(record, "change") not in waiting
    assert address(record, "change") in maybe
    assert "Only a maybe:</strong> The line split into pro and flash." in sheet


def test_a_split_is_said_where_the_question_is_asked_again(reviewer: Client) -> None:
    record = recommend(name="orbit")
    ModelVersion.objects.filter(pk=record.from_version_id).update(upstream_id="orbit-3")
    for id in ("orbit-3", "orbit-4-pro", "orbit-4-flash"):
        CatalogueEntry.objects.create(
            provider=record.tracked_model.provider,
            upstream_id=id,
            first_seen_at=NOW,
            last_seen_at=NOW,
        )

    page = text(reviewer.get(address(record, "why")))

    maybes = page[page.index("Nothing is sure.") :]
    assert "orbit-4-pro" in maybes
    assert "orbit-4-flash" in maybes


def test_a_maybe_is_no_successor_that_waits_for_what_retires(reviewer: Client) -> None:
    record = retiring("lonely", days=3)
    UpgradeRecord.objects.filter(pk=record.pk).update(step=UpgradeRecord.Step.MAYBE)

    page = text(reviewer.get(INBOX))

    assert "No successor waits for a decision" in page[page.index("Start this week") :]
