"""Everything the admin can do, the API can do: a new power of the admin needs a door here."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import User
from django.core.management import call_command
from django.http import HttpRequest
from django.test import RequestFactory

from providers.admin import NamedPages
from tests.factories import UserFactory
from tests.versioning.api.walk import path_of
from versioning.api import urls
from versioning.models import ApiKey

pytestmark = pytest.mark.django_db

USUAL_PAGES = ("changelist", "add", "change", "delete", "history", "simple_history")
OWN_VIEWS = ("add_view", "changelist_view")


class Closed(str):
    """Why there is no door on purpose."""


PEOPLE = Closed("Users, groups and keys stay with people, so that no key makes a stronger one.")
TIMES = Closed("The API makes the row of times that a schedule needs by itself.")
OWN_PAGE = Closed("How one person's own page looks; nothing that a program would ask for.")
LIVE = Closed("A piece of a page again, in HTML; its figures stand in GET upgrade, run and checks.")
WORDS = Closed("What a form would mean, in words, before it is saved; GET policy gives the values.")
OWN_TASKS = Closed("What can run comes with the program; the API changes when, and whether.")

DOORS: dict[str, str] = {
    "auth.user add": PEOPLE,
    "auth.user change": PEOPLE,
    "auth.user page auth_user_password_change": PEOPLE,
    "auth.user page auth_user_second_factor": PEOPLE,
    "auth.user page auth_user_reset_second_factor": PEOPLE,
    "auth.group add": PEOPLE,
    "auth.group change": PEOPLE,
    "versioning.apikey add": PEOPLE,
    "versioning.apikey add_view": PEOPLE,
    "versioning.apikey action revoke_selected": PEOPLE,
    "providers.provider add": "POST providers",
    "providers.provider change": "PATCH provider",
    "providers.provider page providers_provider_test_connection": "POST test",
    "providers.provider page providers_provider_release_key": "POST release-key",
    "versioning.trackedmodel add": "POST tracked-models",
    "versioning.trackedmodel add_view": "POST tracked-models",
    "versioning.trackedmodel change": "PATCH tracked-model",
    "versioning.trackedmodel page versioning_trackedmodel_retirements": "GET retirements",
    "versioning.trackedmodel page versioning_trackedmodel_now": "GET explain",
    "versioning.trackedmodel page versioning_trackedmodel_first_steps": OWN_PAGE,
    "versioning.trackedmodel page versioning_trackedmodel_put_away": OWN_PAGE,
    "versioning.trackedmodel page versioning_trackedmodel_listed": "GET catalogue",
    "versioning.trackedmodel page versioning_trackedmodel_move": "POST upgrade",
    "versioning.trackedmodel page versioning_trackedmodel_pin": "PATCH tracked-model",
    "versioning.trackedmodel page versioning_trackedmodel_emergency": "POST move-in-emergency",
    "versioning.emergency page versioning_emergency_review": "POST review-emergency",
    "versioning.unknownmodel page versioning_unknownmodel_track": "POST tracked-models",
    "versioning.lineagerule add": "POST rules",
    "versioning.lineagerule change": "PATCH rule",
    "versioning.lineagerule delete": "DELETE rule",
    "versioning.modelversion change": "PATCH version",
    "versioning.modelversion page versioning_modelversion_release": "POST release",
    "versioning.upgraderecord action approve_selected": "POST approve",
    "versioning.upgraderecord action reject_selected": "POST reject",
    "versioning.upgraderecord action snooze_selected": "POST snooze",
    "versioning.upgraderecord action roll_back_selected": "POST rollback",
    "versioning.upgraderecord page versioning_upgraderecord_approve": "POST approve",
    "versioning.upgraderecord page versioning_upgraderecord_reject": "POST reject",
    "versioning.upgraderecord page versioning_upgraderecord_snooze": "POST snooze",
    "versioning.upgraderecord page versioning_upgraderecord_roll_back": "POST rollback",
    "versioning.upgraderecord page versioning_upgraderecord_approve_step": (
        "POST approve-canary-step"
    ),
    "versioning.upgraderecord page versioning_upgraderecord_resume": "POST resume-canary",
    "versioning.upgraderecord page versioning_upgraderecord_abort": "POST abort-canary",
    "versioning.upgraderecord page versioning_upgraderecord_why": "GET why",
    "versioning.upgraderecord page versioning_upgraderecord_evidence": "GET evidence-layers",
    "versioning.upgraderecord page versioning_upgraderecord_audit_trail": "GET audit-trail",
    "versioning.upgraderecord page versioning_upgraderecord_say": "POST comments",
    "versioning.upgraderecord page versioning_upgraderecord_withdraw": "POST withdraw-request",
    "versioning.upgraderecord page versioning_upgraderecord_override": "POST override-request",
    "versioning.upgraderecord page versioning_upgraderecord_keep": OWN_PAGE,
    "versioning.upgraderecord page versioning_upgraderecord_seen": OWN_PAGE,
    "versioning.upgraderecord page versioning_upgraderecord_save_filter": OWN_PAGE,
    "versioning.upgraderecord page versioning_upgraderecord_forget_filter": OWN_PAGE,
    "versioning.upgraderecord page versioning_upgraderecord_under_way": LIVE,
    "versioning.upgraderecord page versioning_upgraderecord_live": LIVE,
    "versioning.upgraderecord page versioning_upgraderecord_held": "GET held-back",
    "versioning.modelversion page versioning_modelversion_best": "GET best",
    "versioning.modelversion page versioning_modelversion_compare": "GET compare",
    "versioning.check page versioning_check_now": "POST checks",
    "versioning.check page versioning_check_asked": LIVE,
    "versioning.check changelist_view": LIVE,
    "versioning.policy add": "POST policies",
    "versioning.policy change": "PATCH policy",
    "versioning.policy delete": "DELETE policy",
    "versioning.policy page versioning_policy_preview": WORDS,
    "versioning.policy page versioning_policy_preview_of": WORDS,
    "versioning.freeze add": "POST freezes",
    "versioning.freeze change": "PATCH freeze",
    "versioning.freeze delete": "DELETE freeze",
    "versioning.automationswitch changelist_view": "POST automation",
    "versioning.notice action resolve_selected": "POST resolve-notice",
    "versioning.delivery action try_anew": "POST try-anew",
    "versioning.delivery page versioning_delivery_test_mail": "POST test-mail",
    "versioning.driftfinding action resolve_selected": "POST resolve-drift-finding",
    "versioning.recipient add": "POST recipients",
    "versioning.recipient change": "PATCH recipient",
    "versioning.recipient delete": "DELETE recipient",
    "versioning.recipient page versioning_recipient_test": "POST test-recipient",
    "versioning.calendarfeed add": "POST calendars",
    "versioning.calendarfeed delete": "DELETE remove-calendar",
    "versioning.webhook add": "POST webhooks",
    "versioning.webhook add_view": "POST webhooks",
    "versioning.webhook change": "PATCH webhook",
    "versioning.webhook delete": "DELETE webhook",
    "versioning.webhook page versioning_webhook_test": "POST test-webhook",
    "versioning.webhook page versioning_webhook_rotate": "POST rotate-webhook",
    "versioning.team add": PEOPLE,
    "versioning.team change": PEOPLE,
    "versioning.slicetag add": "POST slice-tags",
    "versioning.slicetag change": "PATCH slice-tag",
    "versioning.slicetag delete": "DELETE slice-tag",
    "versioning.evaluationsuite add": "POST evaluation-suites",
    "versioning.evaluationsuite change": "PATCH evaluation-suite",
    "versioning.evaluationsuite page versioning_evaluationsuite_cases": "POST cases-file",
    "versioning.evaluationsuite page versioning_evaluationsuite_export": "GET cases-file",
    "versioning.evaluationsuite page versioning_evaluationsuite_run": "POST evaluation-runs",
    "versioning.evaluationcase add": "POST cases",
    "versioning.evaluationcase change": "PATCH case",
    "versioning.evaluationcase delete": "DELETE case",
    "versioning.evaluationrun page versioning_evaluationrun_live": LIVE,
    "versioning.evaluationrun page versioning_evaluationrun_cancel": "POST cancel-run",
    "versioning.evaluationrun page versioning_evaluationrun_go_on": "POST go-on",
    "versioning.evaluationrun page versioning_evaluationrun_rule": "POST ruling",
    "versioning.evaluationrun page versioning_evaluationrun_mark": "POST marks",
    "django_celery_beat.periodictask add": OWN_TASKS,
    "django_celery_beat.periodictask change": "PATCH schedule",
    "django_celery_beat.periodictask delete": OWN_TASKS,
    "django_celery_beat.periodictask action enable_tasks": "PATCH schedule",
    "django_celery_beat.periodictask action disable_tasks": "PATCH schedule",
    "django_celery_beat.periodictask action toggle_tasks": "PATCH schedule",
    "django_celery_beat.periodictask action run_tasks": "POST checks",
}
DOORS |= {
    "auth.user view": PEOPLE,
    "auth.group view": PEOPLE,
    "versioning.apikey view": PEOPLE,
    "providers.provider view": "GET providers",
    "versioning.trackedmodel view": "GET tracked-models",
    "versioning.modelversion view": "GET versions",
    "versioning.lineagerule view": "GET rules",
    "versioning.unknownmodel view": "GET unknown-models",
    "versioning.leftoutspans view": "GET left-out-spans",
    "versioning.upgraderecord view": "GET upgrades",
    "versioning.check view": "GET checks",
    "versioning.finding view": "GET findings",
    "versioning.catalogueentry view": "GET catalogue",
    "versioning.aliastarget view": "GET aliases",
    "versioning.policy view": "GET policies",
    "versioning.freeze view": "GET freezes",
    "versioning.automationswitch view": "GET automation",
    "versioning.notice view": "GET notices",
    "versioning.event view": "GET events",
    "versioning.webhook view": "GET webhooks",
    "versioning.recipient view": "GET recipients",
    "versioning.calendarfeed view": "GET calendars",
    "versioning.delivery view": "GET deliveries",
    "versioning.emergency view": "GET emergencies",
    "versioning.driftfinding view": "GET drift-findings",
    "versioning.serveddrift view": "GET served-drift",
    "versioning.performancesample view": "GET performance-samples",
    "versioning.team view": PEOPLE,
    "versioning.slicetag view": "GET slice-tags",
    "versioning.evaluationsuite view": "GET evaluation-suites",
    "versioning.evaluationcase view": "GET cases",
    "versioning.evaluationrun view": "GET evaluation-runs",
    "django_celery_beat.periodictask view": "GET schedules",
    "django_celery_beat.crontabschedule view": "GET schedules",
    "django_celery_beat.intervalschedule view": "GET schedules",
    "django_celery_beat.clockedschedule view": TIMES,
}
DOORS |= {
    f"django_celery_beat.{model} {verb}": TIMES
    for model in ("crontabschedule", "intervalschedule", "clockedschedule")
    for verb in ("add", "change", "delete")
}

FIELDS_ELSEWHERE = {
    "providers.provider": {"slug"},  # applications ask by it: renaming stays with people
    "versioning.webhook": {"name"},  # deliveries are told by it: it lasts
    "versioning.recipient": {"name"},  # so it is with this one
    "versioning.lineagerule": {"tracked_model"},  # in the address
    "versioning.evaluationcase": {"suite"},  # in the address
}


@pytest.fixture
def request_of_boss(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/admin/")
    request.user = UserFactory(is_staff=True, is_superuser=True)
    return request


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    written = StringIO()
    call_command("spectacular", stdout=written)
    described: dict[str, Any] = yaml.safe_load(written.getvalue())
    return described


def powers(page: "ModelAdmin[Any]", request: HttpRequest) -> set[str]:
    """Return all that a page lets somebody do who may do everything."""
    found = {
        verb
        for verb in ("view", "add", "change", "delete")
        if getattr(page, f"has_{verb}_permission")(request)
    }
    found |= {f"action {name}" for name in page.get_actions(request) if name != "delete_selected"}
    label = page.opts.label_lower.replace(".", "_")
    usual = {f"{label}_{name}" for name in USUAL_PAGES}
    found |= {f"page {pattern.name}" for pattern in page.get_urls() if pattern.name} - {
        f"page {name}" for name in usual
    }
    found |= {
        view for view in OWN_VIEWS if any(view in vars(kind) for kind in _own_classes(type(page)))
    }
    return found


def _own_classes(kind: type) -> list[type]:
    """Return the classes that may add a power: what names every page adds none."""
    ours = [
        base for base in kind.__mro__ if base.__module__.startswith(("versioning", "providers"))
    ]
    return [base for base in ours if base is not NamedPages]


def route(name: str) -> Any:
    return next(pattern for pattern in urls.urlpatterns if getattr(pattern, "name", "") == name)


def test_everything_the_admin_can_do_has_a_door(request_of_boss: HttpRequest) -> None:
    found = {
        f"{model._meta.label_lower} {power}"
        for model, page in admin.site._registry.items()
        for power in powers(page, request_of_boss)
    }

    assert found - set(DOORS) == set(), "Give these a door in the API, or say here why not."
    assert set(DOORS) - found == set(), "The admin can't do these any more."


@pytest.mark.parametrize(
    ("power", "door"), [(k, v) for k, v in DOORS.items() if not isinstance(v, Closed)]
)
def test_the_door_is_there(power: str, door: str) -> None:
    method, name = door.split(" ")

    view = route(name).callback.view_class
    assert hasattr(view, method.lower()), power


def test_what_staff_can_set_on_a_page_can_be_set_over_the_api(
    request_of_boss: HttpRequest, schema: dict[str, Any]
) -> None:
    missing = {}
    for power, door in DOORS.items():
        label, _, verb = power.partition(" ")
        if verb != "change" or isinstance(door, Closed) or label.startswith("django_celery"):
            continue
        page = next(p for m, p in admin.site._registry.items() if m._meta.label_lower == label)
        shown = flatten_fieldsets(page.get_fieldsets(request_of_boss))
        wanted = set(shown) - set(page.get_readonly_fields(request_of_boss))
        left = wanted - FIELDS_ELSEWHERE.get(label, set()) - body_of(schema, door)
        if left:
            missing[label] = left

    assert missing == {}


def body_of(schema: dict[str, Any], door: str) -> set[str]:
    """Return the names of the fields that an operation's body takes."""
    method, name = door.split(" ")
    path = path_of(str(route(name).pattern))
    body = schema["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
    component = body["schema"]["$ref"].rsplit("/", 1)[-1]
    return set(schema["components"]["schemas"][component]["properties"])


def test_whatever_changes_something_needs_a_scope_that_says_so() -> None:
    scopes = {
        f"{method} {pattern.name}": getattr(view, method).operation.scope
        for pattern in urls.urlpatterns
        if (view := getattr(getattr(pattern, "callback", None), "view_class", None))
        for method in ("post", "patch", "delete")
        if hasattr(getattr(view, method, None), "operation")
    }

    assert len(scopes) > 40
    allowed = {ApiKey.Scope.DECIDE, ApiKey.Scope.SETUP, ApiKey.Scope.EMERGENCY}
    assert {name for name, scope in scopes.items() if scope not in allowed} == set()


def test_every_permission_of_the_api_exists(boss_permissions: set[str]) -> None:
    asked = {
        getattr(view, method).operation.permission
        for pattern in urls.urlpatterns
        if (view := getattr(getattr(pattern, "callback", None), "view_class", None))
        for method in ("get", "post", "patch", "delete")
        if hasattr(getattr(view, method, None), "operation")
    }

    assert asked - boss_permissions == set()


@pytest.fixture
def boss_permissions(db: None) -> set[str]:
    boss: User = UserFactory(is_staff=True, is_superuser=True)
    return boss.get_all_permissions()
