"""Held back, and why: newer versions that are not in use, each with the way to release it."""

import datetime as dt
import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import NOW, ApiKeyFactory, UpgradeRecordFactory, tracked
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, decide, text
from versioning.models import (
    AutomationSwitch,
    CatalogueEntry,
    Freeze,
    ModelVersion,
    Policy,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import tracking
from versioning.services.actors import Actor
from versioning.services.upgrades import recommendation

INBOX = reverse("admin:index")
HELD = reverse("admin:versioning_upgraderecord_held")


def said(client: Client, query: str = "") -> str:
    """Return the list of the page as one line of text."""
    page = text(client.get(f"{HELD}{query}"))
    rows = page[page.index('<div class="hs-card hs-card-flat hs-lines">') :]
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", rows).split()))


def in_inbox(client: Client) -> str:
    page = text(client.get(INBOX))
    return page[page.index("Held back, and why") :] if "Held back, and why" in page else ""


def test_a_snoozed_one_says_until_when_and_by_whom(reviewer: Client) -> None:
    record = recommend()
    day = timezone.localdate() + dt.timedelta(5)
    decide(reviewer, record, "snooze", until=day.isoformat(), reason="After the fair.")

    told = said(reviewer)

    assert "(in 5 days) by reviewer: After the fair. Decide it now" in told
    assert address(record, "change") in in_inbox(reviewer)


def test_a_rejected_one_says_when_it_comes_back_and_how_to_take_it_all_the_same(
    reviewer: Client,
) -> None:
    record = recommend()
    decide(reviewer, record, "reject", wake="retirement", wake_days="30", reason="Too dear")

    page = text(reviewer.get(HELD))

    assert "by reviewer: Too dear. Asked again when retirement is nearer than 30 days." in page
    move = reverse(
        "admin:versioning_trackedmodel_move", args=[record.tracked_model_id, record.to_version_id]
    )
    assert move in page
    assert "Too dear" in in_inbox(reviewer)


def test_one_that_was_rolled_back_is_the_version_that_was_left(reviewer: Client) -> None:
    record = recommend()
    decide(reviewer, record, "approve")
    decide(reviewer, record, "roll_back", reason="It forgot commas.")

    page = said(reviewer)

    assert "writer 1.0.0 → 1.1.0" in page
    assert "Rolled back on" in page
    assert "It forgot commas." in page


@pytest.mark.parametrize("state", ["failed", "aborted"])
def test_what_failed_on_its_course_is_told(reviewer: Client, state: str) -> None:
    UpgradeRecord.objects.filter(pk=recommend().pk).update(state=state)

    assert {"failed": "Tests failed on", "aborted": "Canary aborted on"}[state] in said(reviewer)


def test_one_that_the_provider_refuses_is_told_although_nothing_waits(reviewer: Client) -> None:
    record = recommend()
    UpgradeRecord.objects.filter(pk=record.pk).update(state="superseded")
    assert "Nothing is held back here." in said(reviewer)

    ModelVersion.objects.filter(pk=record.to_version_id).update(
        answers="refused", answers_why="No access."
    )

    told = said(reviewer)
    assert "zeta-writer-2 is listed, and refused when it was asked for: No access." in told
    assert "check again" in told


def test_a_maybe_tells_its_doubt_and_is_not_told_twice_in_the_inbox(reviewer: Client) -> None:
    UpgradeRecord.objects.filter(pk=recommend().pk).update(step="maybe", doubt="Two came.")

    assert "Two came. Say yes or no" in said(reviewer)
    assert in_inbox(reviewer) == ""


def test_what_waits_names_the_rule_that_stops_it(reviewer: Client) -> None:
    record = recommend()
    assert "Staff decide it, or a client asks for auto_upgrade. Decide it" in said(reviewer)

    general = Policy.objects.create(automation="never")
    assert "Its policy lets nothing go by itself" in said(reviewer)

    general.automation = "after_gates"
    general.save()
    assert "Nothing that is written down stops it" in said(reviewer)

    UpgradeRecord.objects.filter(pk=record.pk).update(
        evidence={"decision": "NOT ENOUGH EVIDENCE", "sentence": "Too few samples."}
    )
    assert "It doesn't go by itself. Too few samples." in said(reviewer)

    now = timezone.now()
    Freeze.objects.create(name="Fair", starts_at=now, ends_at=now + dt.timedelta(9))
    UpgradeRecord.objects.filter(pk=record.pk).update(evidence={"decision": "UPGRADE"})
    assert ": Fair. See the freeze" in said(reviewer)

    TrackedModel.objects.update(pinned=True, pin_reason="Audit.")
    assert "The model is pinned (Audit.). Unpin it" in said(reviewer)

    AutomationSwitch.objects.create(on=False, reason="Night", changed_by="bo", changed_at=now)
    assert "All automation is switched off (Night). Switch automation on" in said(reviewer)


def test_what_is_in_use_gone_or_switched_off_is_not_held_back(reviewer: Client) -> None:
    used, gone, off = recommend(name="used"), recommend(name="gone"), recommend(name="off")
    decide(reviewer, used, "approve")
    decide(reviewer, gone, "reject")
    ModelVersion.objects.filter(pk=gone.to_version_id).update(gone_at=NOW)
    TrackedModel.objects.filter(pk=off.tracked_model_id).update(active=False)

    assert "Nothing is held back here." in said(reviewer)


def test_the_address_names_a_reason_a_provider_or_an_owner(reviewer: Client) -> None:
    one, other = recommend(name="one"), recommend(name="other")
    decide(reviewer, one, "reject")
    TrackedModel.objects.filter(pk=other.tracked_model_id).update(owner="team@x.example")

    assert "other" not in said(reviewer, "?why=rejected")
    assert "/ one" not in said(reviewer, "?owner=team@x.example")
    assert "/ one" not in said(reviewer, f"?provider={other.tracked_model.provider.slug}")
    assert "/ one" in said(reviewer, "?why=nonsense&p=x")


def test_without_the_permission_there_is_no_page(log_in: object) -> None:
    assert log_in("").get(HELD).status_code == 403  # type: ignore[operator]


def test_as_many_queries_for_twenty_as_for_two(reviewer: Client) -> None:
    general = Policy.objects.create(automation="after_gates")
    assert general.pk
    reviewer.get(HELD)

    def queries(number: int) -> int:
        for n in range(number):
            waits = recommend(name=f"w{number}-{n}")
            Policy.objects.create(tracked_model=waits.tracked_model, approval_days=1)
            ended = recommend(name=f"r{number}-{n}")
            UpgradeRecord.objects.filter(pk=ended.pk).update(state="rejected")
            UpgradeRecordFactory(tracked_model=ended.tracked_model, state="superseded")
            UpgradeRecord.objects.filter(pk=ended.pk).update(changed_at=timezone.now())
        with CaptureQueriesContext(connection) as asked:
            assert reviewer.get(HELD).status_code == 200
        return len(asked)

    assert queries(2) == queries(18)


@pytest.fixture
def listed_model(db: None) -> TrackedModel:
    """gpt-4.1, whose provider lists a preview that follows it."""
    model = tracked(name="writer", upstream_id="gpt-4.1")
    for id in ("gpt-4.1", "gpt-5-preview"):
        CatalogueEntry.objects.create(
            provider=model.provider, upstream_id=id, first_seen_at=NOW, last_seen_at=NOW
        )
    recommendation.recommend(tracked_model_id=model.pk, now=NOW)
    return model


def over_the_api(query: str = "") -> list[dict[str, object]]:
    api = Client(headers={"authorization": f"Bearer {ApiKeyFactory().secret}"})
    answer = api.get(f"/api/held-back{query}")
    assert answer.status_code == 200, answer.content
    found: list[dict[str, object]] = answer.json()["results"]
    return found


def test_a_preview_is_told_until_previews_are_allowed(
    reviewer: Client, listed_model: TrackedModel
) -> None:
    told = said(reviewer, "?why=previews")
    assert "gpt-5-preview is listed, and passed over since 1 Mar 2026: A preview" in told
    assert "Allow previews of this model" in told
    (row,) = over_the_api("?why=previews")
    assert (row["upstream_id"], row["record_id"]) == ("gpt-5-preview", None)

    TrackedModel.objects.update(allow_previews=True)
    recommendation.recommend(tracked_model_id=listed_model.pk, now=NOW)

    assert over_the_api("?why=previews") == []
    (row,) = over_the_api("?why=waits")
    assert row["upstream_id"] == "gpt-5-preview"


def test_what_a_rule_of_staff_keeps_out_names_the_rule(
    reviewer: Client, listed_model: TrackedModel
) -> None:
    TrackedModel.objects.update(allow_previews=True)
    rule = {"kind": "forbid", "pattern": "gpt-5-preview", "reason": "Too slow.", "now": NOW}
    tracking.add_rule(tracked_model_id=listed_model.pk, actor=Actor.command(), **rule)

    assert "Forbidden by a rule of command line (Too slow)" in said(reviewer, "?why=staff_rule")


def test_a_name_that_may_be_the_one_in_use_is_told(reviewer: Client) -> None:
    model = tracked(name="writer", upstream_id="gpt-4o-2024-08-06")
    for id in ("gpt-4o-2024-08-06", "gpt-4o"):
        CatalogueEntry.objects.create(
            provider=model.provider,
            upstream_id=id,
            facts={"released": "2024-08-10"} if id == "gpt-4o" else {},
            first_seen_at=NOW,
            last_seen_at=NOW,
        )
    recommendation.recommend(tracked_model_id=model.pk, now=NOW)

    assert "The same model under another name. Say that it follows" in said(reviewer)


def test_the_pace_is_a_reason(reviewer: Client) -> None:
    recommend(evidence={"decision": "UPGRADE"})
    Policy.objects.create(automation="after_gates", max_at_once=1)
    UpgradeRecordFactory(state="canary")

    assert "1 upgrade under way; 1 may be." in said(reviewer, "?why=waits")


def test_the_api_says_what_the_page_says(reviewer: Client) -> None:
    record = recommend()
    decide(reviewer, record, "reject", wake="retirement", wake_days="30", reason="Too dear")

    (row,) = over_the_api()

    assert (row["why"], row["said"], row["said_by"]) == ("rejected", "Too dear", "reviewer")
    assert row["record_id"] == record.pk
    assert "nearer than 30 days" in str(row["wakes"])
