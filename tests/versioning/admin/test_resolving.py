"""Notices and drift, resolved from their lists; freezes, removed by who may."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, UpgradeRecordFactory, UserFactory, tracked
from versioning.models import DriftFinding, Freeze, Notice

pytestmark = pytest.mark.django_db

NOTICES = reverse("admin:versioning_notice_changelist")
FINDINGS = reverse("admin:versioning_driftfinding_changelist")


@pytest.fixture
def resolver(db: None) -> Client:
    """Staff who may read notices and drift, and resolve them."""
    user: User = UserFactory(username="ada", is_staff=True)
    names = [
        f"{verb}_{model}" for verb in ("view", "change") for model in ("notice", "driftfinding")
    ]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def notice() -> Notice:
    return Notice.objects.create(
        kind="worse", record=UpgradeRecordFactory(), sentence="Worse.", raised_at=NOW
    )


def resolve(client: Client, address: str, *numbers: int) -> str:
    sent = {"action": "resolve_selected", "_selected_action": [*numbers]}
    return client.post(address, sent, follow=True).content.decode()


def test_a_notice_is_resolved_in_the_name_of_who_chose_it(resolver: Client) -> None:
    chosen, other = notice(), notice()

    page = resolve(resolver, NOTICES, chosen.pk)

    assert "1 notice resolved." in page
    chosen.refresh_from_db()
    assert (chosen.resolved_by, chosen.resolved_at is None) == ("ada", False)
    assert list(Notice.objects.open()) == [other]


def test_one_that_somebody_resolved_first_stays_theirs(resolver: Client) -> None:
    chosen = notice()
    Notice.objects.filter(pk=chosen.pk).update(resolved_at=NOW, resolved_by="bob")

    page = resolve(resolver, NOTICES, chosen.pk)

    assert "resolved already by bob" in page
    chosen.refresh_from_db()
    assert chosen.resolved_by == "bob"


def test_a_drift_is_resolved(resolver: Client) -> None:
    found = DriftFinding.objects.create(
        version=tracked().current_version,
        measure="quality",
        began_on=dt.date(2026, 11, 1),
        sentence="Quality fell.",
        found_at=NOW,
    )

    assert "1 finding resolved." in resolve(resolver, FINDINGS, found.pk)
    found.refresh_from_db()
    assert found.resolved_at is not None


def test_who_may_only_look_resolves_nothing(viewer: Client) -> None:
    chosen = notice()

    assert "resolve_selected" not in viewer.get(NOTICES).content.decode()
    resolve(viewer, NOTICES, chosen.pk)

    chosen.refresh_from_db()
    assert chosen.resolved_at is None


def test_a_freeze_is_removed_by_who_may(boss: Client) -> None:
    freeze = Freeze.objects.create(
        name="Trade", starts_at=NOW, ends_at=NOW + dt.timedelta(days=1), made_by="ada"
    )

    boss.post(reverse("admin:versioning_freeze_delete", args=[freeze.pk]), {"post": "yes"})

    assert not Freeze.objects.exists()
