"""What follows a decision follows by itself, through whichever door it came."""

from collections.abc import Callable

import pytest
from django.core.management import call_command

from tests.factories import NOW, ApiKeyFactory, UpgradeRecordFactory, UserFactory, tracked
from tests.versioning.admin.pages import decide
from tests.versioning.api.conftest import Api
from tests.versioning.services.test_course import GOOD, STEPS, measured
from versioning.models import ApiKey, Policy, UpgradeRecord
from versioning.services import nudges
from versioning.services.actors import Actor
from versioning.services.upgrades import python_api

pytestmark = pytest.mark.django_db


@pytest.fixture
def record() -> UpgradeRecord:
    """A recommendation that a canary must follow, and that the evidence speaks for."""
    Policy.objects.create(canary_steps=STEPS)
    record = UpgradeRecordFactory(tracked_model=tracked(name="zeta"))
    measured(record, GOOD)
    return record


@pytest.fixture
def api(db: None) -> Api:
    return Api(ApiKeyFactory(scopes=list(ApiKey.Scope.values)).secret)


def model_of(record: UpgradeRecord) -> str:
    return f"/api/model-versions/{record.tracked_model.provider.slug}/zeta"


def in_the_admin(record: UpgradeRecord, api: Api) -> object:
    from django.test import Client

    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return decide(client, record, "approve")


def over_the_api(record: UpgradeRecord, api: Api) -> object:
    return api.post(f"/api/model-versions/upgrade-recommendations/{record.pk}/approve", {})


def by_asking_for_it(record: UpgradeRecord, api: Api) -> object:
    return api.post(f"{model_of(record)}/upgrade", {})


def auto_upgrade_over_the_api(record: UpgradeRecord, api: Api) -> object:
    return api.post(f"{model_of(record)}/auto-upgrade", {"auto_upgrade": True})


def auto_upgrade_from_python(record: UpgradeRecord, api: Api) -> object:
    slug = record.tracked_model.provider.slug
    return python_api.auto_upgrade(provider=slug, model="zeta", actor=Actor.command(), now=NOW)


def by_command(record: UpgradeRecord, api: Api) -> object:
    return call_command("upgrade", record.tracked_model.provider.slug, "zeta")


DOORS = [
    in_the_admin,
    over_the_api,
    by_asking_for_it,
    auto_upgrade_over_the_api,
    auto_upgrade_from_python,
    by_command,
]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_worker_carries_an_approved_upgrade_on_at_once(
    door: Callable[[UpgradeRecord, Api], object],
    record: UpgradeRecord,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    sent: list[str] = []
    monkeypatch.setitem(nudges._senders, nudges.Nudge.CARRY_ON, lambda: sent.append("carry on"))

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        door(record, api)

    record.refresh_from_db()
    assert record.state == "approved"
    assert sent == ["carry on"]
