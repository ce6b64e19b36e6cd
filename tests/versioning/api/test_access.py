"""Who may do what: keys by their scopes, staff by their permissions."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from tests.factories import ApiKeyFactory, UpgradeRecordFactory, UserFactory, tracked
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from versioning.models import ApiKey

pytestmark = pytest.mark.django_db

RECOMMENDATIONS = "/api/model-versions/upgrade-recommendations"
DECISIONS = [
    ("POST", "/api/checks"),
    ("POST", "/api/providers"),
    ("POST", "/api/tracked-models"),
    ("PATCH", "/api/tracked-models/1"),
    ("PATCH", "/api/versions/1"),
    ("PATCH", "/api/providers/acme"),
    ("POST", "/api/providers/acme/test"),
    ("POST", "/api/tracked-models/1/rules"),
    ("DELETE", "/api/tracked-models/1/rules/1"),
    ("POST", f"{RECOMMENDATIONS}/1/approve"),
    ("POST", f"{RECOMMENDATIONS}/1/reject"),
    ("POST", f"{RECOMMENDATIONS}/1/snooze"),
    ("POST", "/api/model-versions/acme/zeta/upgrade"),
    ("POST", "/api/model-versions/acme/zeta/auto-upgrade"),
    ("POST", "/api/model-versions/acme/zeta/rollback"),
]


@pytest.mark.parametrize("address", ["/api/checks", "/api/model-versions/acme/zeta/current"])
def test_without_a_key_nothing_is_told(stranger: Api, address: str) -> None:
    answer = stranger.get(address)

    assert_problem(answer, 401, "not-authenticated")
    assert answer["WWW-Authenticate"] == 'Bearer realm="hotswap"'


@pytest.mark.parametrize("secret", ["hs_wrong", "hs_" + "x" * 500, "é", "hs_a\tb"])
def test_a_key_that_does_not_exist_is_401(db: None, secret: str) -> None:
    assert_problem(Api(secret).get("/api/checks"), 401, "authentication-failed")


def test_a_key_with_the_right_beginning_only_is_401(db: None) -> None:
    secret = ApiKeyFactory().secret

    assert Api(secret[:12] + "x" * 34).get("/api/checks").status_code == 401


@pytest.mark.parametrize("address", ["/api/checks", "/api/model-versions/p/zeta/current"])
def test_a_revoked_key_is_refused_from_the_next_request_on(db: None, address: str) -> None:
    key = ApiKeyFactory()
    api = Api(key.secret)
    assert api.get(address).status_code != 401

    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now())

    assert api.get(address).status_code == 401


def test_an_expired_key_is_401(db: None) -> None:
    key = ApiKeyFactory(expires_at=timezone.now() - timedelta(seconds=1))

    assert Api(key.secret).get("/api/checks").status_code == 401


def test_a_key_is_kept_as_a_hash_and_its_use_is_noted(db: None) -> None:
    key = ApiKeyFactory()

    Api(key.secret).get("/api/checks")

    key.refresh_from_db()
    assert key.last_used_at is not None
    assert key.secret not in str(vars(ApiKey.objects.get(pk=key.pk)))


@pytest.mark.parametrize(("method", "address"), DECISIONS)
def test_who_may_only_read_decides_nothing(
    with_scopes: Callable[..., Api], method: str, address: str
) -> None:
    answer = with_scopes("read", "ingest")._send(method, address, {}, {})

    problem = assert_problem(answer, 403, "permission-denied")
    assert "decide" in problem["detail"]


def test_who_may_only_report_samples_reads_nothing(with_scopes: Callable[..., Api]) -> None:
    slug = tracked(name="zeta").provider.slug
    reporter = with_scopes("ingest")

    for address in ("/api/checks", f"/api/model-versions/{slug}/zeta/current"):
        assert_problem(reporter.get(address), 403, "permission-denied")


def test_who_may_only_read_reports_no_samples(with_scopes: Callable[..., Api]) -> None:
    answer = with_scopes("read", "decide").post("/api/performance-samples", [])

    assert_problem(answer, 403, "not-allowed")


@pytest.fixture
def reviewer(db: None) -> Client:
    """Staff who may look at models and approve, signed in to the admin."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_trackedmodel", "approve_upgrade"])
    )
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    return client


def test_staff_read_what_their_permissions_say(reviewer: Client) -> None:
    assert reviewer.get("/api/tracked-models").status_code == 200
    assert_problem(reviewer.get("/api/checks"), 403, "permission-denied")


def test_staff_decide_with_a_token_against_forged_requests(reviewer: Client) -> None:
    record = UpgradeRecordFactory()
    address = f"{RECOMMENDATIONS}/{record.pk}/approve"

    forged = reviewer.post(address, {}, content_type="application/json")
    reviewer.cookies["csrftoken"] = "t" * 32
    meant = reviewer.post(
        address, {}, content_type="application/json", headers={"X-CSRFToken": "t" * 32}
    )

    assert_problem(forged, 403, "permission-denied")
    assert meant.status_code == 200
    assert meant.json()["steps"][0]["actor_kind"] == "staff"


def test_staff_without_the_permission_do_not_reject(reviewer: Client) -> None:
    record = UpgradeRecordFactory()
    reviewer.cookies["csrftoken"] = "t" * 32

    answer = reviewer.post(
        f"{RECOMMENDATIONS}/{record.pk}/reject",
        {"reason": "no"},
        content_type="application/json",
        headers={"X-CSRFToken": "t" * 32},
    )

    problem = assert_problem(answer, 403, "permission-denied")
    assert "versioning.reject_upgrade" in problem["detail"]
