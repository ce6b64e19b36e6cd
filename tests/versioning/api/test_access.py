"""Who may do what: keys by their scopes, staff by their permissions."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from tests.factories import ApiKeyFactory, UpgradeRecordFactory, UserFactory, tracked
from tests.versioning.api import walk
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem
from tests.versioning.api.walk import Described
from versioning.admin.base import SetUpPages
from versioning.models import ApiKey

pytestmark = pytest.mark.django_db

RECOMMENDATIONS = "/api/model-versions/upgrade-recommendations"


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


OPERATIONS = walk.operations()
INGESTS = ("/api/v1/performance-samples", "/v1/traces")
GROUPS = ("viewer", "reviewer", "operator", "emergency")


def scope_of(operation: Described) -> str:
    """Return the scope that an operation needs; each has one, or the walk fails."""
    if operation.rule is None:
        assert operation.path.startswith(INGESTS), f"{operation} has no rule"
        return ApiKey.Scope.INGEST
    return operation.rule.scope


def ask(client: Client, operation: Described, **headers: str) -> int:
    answer = client.generic(
        operation.method.upper(),
        operation.address(10**6, slug="none", provider="none", model="none"),
        data="{}",
        content_type=operation.media_types[0] if operation.media_types else "application/json",
        headers={"X-CSRFToken": "t" * 32, **headers},
    )
    if answer.status_code in {401, 403}:
        assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code


@pytest.mark.parametrize("scope", ApiKey.Scope.values)
def test_a_key_may_do_what_its_scope_says_and_nothing_else(scope: str) -> None:
    secret = ApiKeyFactory(scopes=[scope]).secret
    for operation in OPERATIONS:
        client = Client(raise_request_exception=False)
        status = ask(client, operation, Authorization=f"Bearer {secret}")
        assert (status == 403) == (scope_of(operation) != scope), (str(operation), status)
        assert status < 500


def test_strangers_may_do_nothing() -> None:
    for operation in OPERATIONS:
        assert ask(Client(), operation) == 401, str(operation)


def member_of(group: str) -> tuple[Client, User]:
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(user)
    client.cookies["csrftoken"] = "t" * 32
    return client, user


@pytest.mark.parametrize("group", GROUPS)
def test_staff_may_do_what_their_group_says_and_nothing_else(group: str) -> None:
    client, user = member_of(group)
    for operation in OPERATIONS:
        status = ask(client, operation)
        if operation.rule is None:
            assert status == 401, f"{operation}: samples come with keys only"
            continue
        needed = {operation.rule.permission}
        if operation.rule.scope == ApiKey.Scope.SETUP:
            needed.add("versioning.setup")
        assert (status == 403) == (not user.has_perms(needed)), (str(operation), status)
        assert status < 500


def test_who_decides_does_not_set_up() -> None:
    """What reviewers may is the scope decide, what only operators may is setup."""
    _, reviewer = member_of("reviewer")
    _, operator = member_of("operator")
    for operation in OPERATIONS:
        if operation.rule is None or operation.rule.scope == ApiKey.Scope.READ:
            continue
        permission = operation.rule.permission
        if operation.rule.scope == ApiKey.Scope.EMERGENCY:
            assert not operator.has_perm(permission), "It is given to few, beside their group."
            continue
        assert operator.has_perm(permission), str(operation)
        if operation.rule.scope == ApiKey.Scope.SETUP:
            assert not reviewer.has_perm("versioning.setup")
        elif permission != "versioning.run_check":
            assert reviewer.has_perm(permission), str(operation)


@pytest.mark.parametrize("group", [*GROUPS, None])
def test_staff_without_the_permission_to_set_up_change_no_set_up_in_the_admin(
    group: str | None,
) -> None:
    """Whoever has every other permission there is, and is in no group, sets nothing up either."""
    client, user = member_of(group or "viewer")
    if group is None:
        user.user_permissions.set(Permission.objects.exclude(codename="setup"))
        user = User.objects.get(pk=user.pk)
    request = HttpRequest()
    request.user = user
    for model, page in site._registry.items():
        if issubclass(type(page), SetUpPages) and not user.has_perm("versioning.setup"):
            assert not page.has_add_permission(request), model
            assert not page.has_change_permission(request), model
            assert not page.has_delete_permission(request), model


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
