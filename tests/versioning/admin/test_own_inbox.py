"""One person's inbox: narrowed by its address or by what they keep, and what is new to them."""

import datetime as dt

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import decide, text
from versioning.models import OwnInbox, TrackedModel, UpgradeRecord

INBOX = reverse("admin:index")
KEEP = reverse("admin:versioning_upgraderecord_keep")
SEEN = reverse("admin:versioning_upgraderecord_seen")


def shown(client: Client, query: str = "") -> set[str]:
    """Return the models of which the inbox asks, of the four there are."""
    page = text(client.get(f"{INBOX}{query}"))
    names = ("late", "calm", "ours", "plain")
    return {name for name in names if f"Move {name} 1.0.0" in page}


@pytest.fixture
def four(db: None) -> None:
    today = timezone.localdate()
    recommend(name="late", urgent_on=today + dt.timedelta(9))
    recommend(name="calm", urgent_on=today + dt.timedelta(90))
    ours = recommend(name="ours", evidence={"decision": "STAY"})
    recommend(name="plain", evidence={"decision": "NOT ENOUGH EVIDENCE"})
    TrackedModel.objects.filter(pk=ours.tracked_model_id).update(owner="Team@x.example")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"late", "calm", "ours", "plain"}),
        ("?urgency=urgent", {"late"}),
        ("?urgency=dated", {"late", "calm"}),
        ("?urgency=undated", {"ours", "plain"}),
        ("?verdict=stay", {"ours"}),
        ("?verdict=not_enough_evidence", {"plain"}),
        ("?owner=team@x.example", {"ours"}),
        ("?owner=mine", set()),
        ("?provider=nobody", set()),
        ("?urgency=nonsense&verdict=nonsense", {"late", "calm", "ours", "plain"}),
    ],
)
def test_the_address_narrows_what_waits(
    reviewer: Client, four: None, query: str, names: set[str]
) -> None:
    assert shown(reviewer, query) == names


def test_mine_is_what_belongs_to_whoever_looks(reviewer: Client, four: None) -> None:
    assert "no e-mail address" in text(reviewer.get(f"{INBOX}?owner=mine"))

    get_user_model().objects.filter(username="reviewer").update(email="team@X.example")

    assert shown(reviewer, "?owner=mine") == {"ours"}


def test_what_is_kept_is_shown_first_to_that_person_alone(
    reviewer: Client, boss: Client, four: None
) -> None:
    reviewer.post(KEEP, {"urgency": "urgent", "verdict": "nonsense"})

    assert shown(reviewer) == {"late"}
    assert "Narrowed to what you keep" in text(reviewer.get(INBOX))
    assert len(shown(reviewer, "?all")) == 4
    assert shown(reviewer, "?verdict=stay") == {"ours"}
    assert len(shown(boss)) == 4

    reviewer.post(KEEP)
    assert len(shown(reviewer)) == 4


def test_where_nothing_fits_it_says_so_and_leads_back(reviewer: Client, four: None) -> None:
    page = text(reviewer.get(f"{INBOX}?provider=nobody"))

    assert "Nothing waits that you asked for" in page
    assert "No newer version waits." not in page


def test_what_is_new_is_told_until_they_say_that_they_have_seen_it(reviewer: Client) -> None:
    record = recommend()
    OwnInbox.objects.create(
        user=get_user_model().objects.get(), seen_at=timezone.now() - dt.timedelta(hours=3)
    )
    decide(reviewer, record, "approve")

    page = text(reviewer.get(INBOX))
    assert "1 moved" in page[page.index("New since you looked") :]
    assert "since you last said so" in page

    answer = reviewer.post(SEEN, {"urgency": "urgent"})
    assert answer.headers["Location"] == f"{INBOX}?urgency=urgent"
    assert "New since you looked" not in text(reviewer.get(INBOX))


def test_before_they_ever_said_so_it_counts_from_their_signing_in(reviewer: Client) -> None:
    record = recommend()
    get_user_model().objects.update(last_login=timezone.now() - dt.timedelta(hours=1))
    decide(reviewer, record, "reject")

    assert "since you signed in" in text(reviewer.get(INBOX))


def test_to_keep_leaves_what_was_seen_and_the_other_way_round(reviewer: Client) -> None:
    reviewer.post(SEEN)
    reviewer.post(KEEP, {"urgency": "urgent"})
    reviewer.post(SEEN)

    kept = OwnInbox.objects.get()
    assert kept.narrowed_to["urgency"] == "urgent"
    assert kept.seen_at is not None


def test_looking_writes_nothing(reviewer: Client) -> None:
    UpgradeRecord.objects.filter(pk=recommend().pk).update(state="rejected")
    reviewer.get(INBOX)
    for query in ("", "?urgency=urgent", "?all"):
        with CaptureQueriesContext(connection) as asked:
            reviewer.get(f"{INBOX}{query}")
        assert all(each["sql"].startswith("SELECT") for each in asked.captured_queries)


def test_only_whoever_sees_the_inbox_keeps_one(log_in: object) -> None:
    stranger = log_in("")  # type: ignore[operator]
    for address in (KEEP, SEEN):
        assert stranger.post(address).status_code == 403
        assert stranger.get(address).status_code == 405
    assert not OwnInbox.objects.exists()
