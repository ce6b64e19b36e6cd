"""Evidence that a newer version of Hotswap wrote: said plainly, shown as it is, never a fault."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, ApiKeyFactory
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import address, text
from tests.versioning.api.conftest import Api
from versioning.models import UpgradeRecord
from versioning.services.upgrades import renewal

NEWER = {"schema_version": 99, "decision": ["UPGRADE"], "quality": 7, "marvels": "many"}
SAID = "ritten by a newer version of Hotswap: shown as it is"

pytestmark = pytest.mark.django_db


@pytest.fixture
def record() -> UpgradeRecord:
    found = recommend(evidence=NEWER, evidence_hash="theirs")
    found.steps.create(
        after="recommended",
        at=NOW,
        actor_kind="scheduler",
        actor_name="scheduler",
        evidence=NEWER,
    )
    return found


def test_its_page_says_so_and_shows_it(record: UpgradeRecord, reviewer: Client) -> None:
    page = text(reviewer.get(address(record, "change")))
    assert page.count(SAID) >= 2  # on the sheet, and at the step
    assert page.count("marvels") == 2


@pytest.mark.parametrize("name", ["approve", "reject", "snooze"])
def test_whoever_decides_is_told(record: UpgradeRecord, reviewer: Client, name: str) -> None:
    assert SAID in text(reviewer.get(address(record, name)))


@pytest.mark.parametrize("name", ["admin:index", "admin:versioning_upgraderecord_changelist"])
def test_lists_stand(record: UpgradeRecord, reviewer: Client, name: str) -> None:
    assert record.tracked_model.name in text(reviewer.get(reverse(name)))


def test_the_api_gives_it_word_for_word_and_recommends_nothing(record: UpgradeRecord) -> None:
    api = Api(ApiKeyFactory(scopes=["read"]).secret)
    shown = api.get(f"/api/model-versions/upgrade-recommendations/{record.pk}").json()
    assert (shown["evidence"], shown["recommended"]) == (NEWER, False)


def test_to_look_again_writes_what_is_known_here(record: UpgradeRecord) -> None:
    renewal.renew(record_id=record.pk, now=NOW, evidence_hash=None)
    record.refresh_from_db()
    assert record.evidence["schema_version"] == 2
    assert record.evidence["method"]


def test_a_version_shows_its_baseline_as_it_is(record: UpgradeRecord, reviewer: Client) -> None:
    version = record.to_version
    version.baseline, version.baseline_taken_at = NEWER, NOW
    version.save()
    page = text(reviewer.get(reverse("admin:versioning_modelversion_change", args=[version.pk])))
    assert SAID in page
    assert "marvels" in page
