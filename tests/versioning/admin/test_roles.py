"""Each page of the admin, for each group: who may see it, and who may send something to it.

What a group may do stands in ``models/groups.py``; what a page asks for stands here. A page without
a rule fails.
"""

import logging
from collections.abc import Iterator, Mapping, Set
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse
from django.template.backends.django import Template
from django.test import Client

from providers.http.guard import nobody_waits
from tests.factories import UserFactory
from tests.versioning.admin.conftest import LogIn
from tests.versioning.admin.walk import Route, make_world, routes
from versioning.models import Notice, Team, TrackedModel
from versioning.models.groups import GROUPS
from versioning.services.teams import PATHS

pytestmark = pytest.mark.django_db

MAY: Mapping[str, frozenset[str]] = {"": frozenset(), **GROUPS}
"""Each group, and staff of none, with what they may do."""

EVERYBODY, NOBODY = "everybody", "nobody"
"""Of staff; whoever is no staff, or has signed in by half, is asked in test_second_factor.py."""

Rule = tuple[str, str]
"""What GET and POST ask for: a permission, or one of the two words."""

SEES_RECORDS = "versioning.view_upgraderecord"
DISCUSSES = "versioning.approve_upgrade"

RULES: dict[str, Rule] = {
    # of one's own
    "app_list": (EVERYBODY, EVERYBODY),  # of what one may see
    "index": (EVERYBODY, EVERYBODY),
    "jsi18n": (EVERYBODY, NOBODY),
    "password_change": (EVERYBODY, EVERYBODY),
    "password_change_done": (EVERYBODY, NOBODY),
    "auth_user_second_factor": (EVERYBODY, EVERYBODY),
    "versioning_trackedmodel_put_away": (NOBODY, EVERYBODY),
    "versioning_upgraderecord_forget_filter": (NOBODY, EVERYBODY),
    "versioning_upgraderecord_save_filter": (NOBODY, EVERYBODY),
    # of superusers
    "auth_user_password_change": ("auth.change_user", "auth.change_user"),
    "auth_user_reset_second_factor": ("auth.change_user", "auth.change_user"),
    # read
    "versioning_evaluationrun_live": ("versioning.view_evaluationrun", NOBODY),
    "versioning_evaluationsuite_export": ("versioning.view_evaluationsuite",) * 2,
    "versioning_modelversion_best": ("versioning.view_modelversion",) * 2,
    "versioning_modelversion_compare": ("versioning.view_modelversion", NOBODY),
    "versioning_check_asked": ("versioning.view_check", NOBODY),
    "versioning_trackedmodel_first_steps": ("versioning.view_trackedmodel", NOBODY),
    "versioning_trackedmodel_now": ("versioning.view_trackedmodel", NOBODY),
    "versioning_trackedmodel_retirements": ("versioning.view_trackedmodel", NOBODY),
    "versioning_upgraderecord_audit_trail": (SEES_RECORDS, NOBODY),
    "versioning_upgraderecord_evidence": (SEES_RECORDS, NOBODY),
    "versioning_upgraderecord_held": (SEES_RECORDS, NOBODY),
    "versioning_upgraderecord_keep": (NOBODY, SEES_RECORDS),
    "versioning_upgraderecord_live": (SEES_RECORDS, NOBODY),
    "versioning_upgraderecord_seen": (NOBODY, SEES_RECORDS),
    "versioning_upgraderecord_under_way": (SEES_RECORDS, NOBODY),
    "versioning_upgraderecord_why": (SEES_RECORDS,) * 2,
    # decide
    "versioning_emergency_review": ("versioning.approve_upgrade",) * 2,
    "versioning_evaluationrun_cancel": (NOBODY, "versioning.change_evaluationrun"),
    "versioning_evaluationrun_go_on": (NOBODY, "versioning.change_evaluationrun"),
    "versioning_evaluationrun_mark": (NOBODY, "versioning.change_evaluationrun"),
    "versioning_evaluationrun_rule": (NOBODY, "versioning.change_evaluationrun"),
    "versioning_evaluationsuite_run": ("versioning.add_evaluationrun",) * 2,
    "versioning_modelversion_release": (NOBODY, "versioning.change_modelversion"),
    "versioning_trackedmodel_emergency": ("versioning.emergency",) * 2,
    "versioning_trackedmodel_move": ("versioning.approve_upgrade",) * 2,
    "versioning_upgraderecord_abort": ("versioning.roll_back_upgrade",) * 2,
    "versioning_upgraderecord_approve": ("versioning.approve_upgrade",) * 2,
    "versioning_upgraderecord_approve_step": ("versioning.approve_upgrade",) * 2,
    "versioning_upgraderecord_override": (NOBODY, "versioning.setup"),
    "versioning_upgraderecord_reject": ("versioning.reject_upgrade",) * 2,
    "versioning_upgraderecord_resume": ("versioning.approve_upgrade",) * 2,
    "versioning_upgraderecord_roll_back": ("versioning.roll_back_upgrade",) * 2,
    "versioning_upgraderecord_say": (NOBODY, DISCUSSES),
    "versioning_upgraderecord_snooze": ("versioning.snooze_upgrade",) * 2,
    "versioning_upgraderecord_withdraw": (NOBODY, DISCUSSES),
    # set up
    "providers_provider_release_key": (NOBODY, "providers.change_provider"),
    "providers_provider_test_connection": (NOBODY, "providers.change_provider"),
    "versioning_check_now": (NOBODY, "versioning.run_check"),
    "versioning_delivery_test_mail": (NOBODY, "versioning.setup"),
    "versioning_evaluationsuite_cases": ("versioning.change_evaluationsuite",) * 2,
    "versioning_policy_preview": (NOBODY, "versioning.change_policy"),
    "versioning_policy_preview_of": (NOBODY, "versioning.change_policy"),
    "versioning_recipient_test": (NOBODY, "versioning.change_recipient"),
    "versioning_trackedmodel_listed": ("versioning.add_trackedmodel", NOBODY),
    "versioning_trackedmodel_pin": ("versioning.change_trackedmodel",) * 2,
    "versioning_unknownmodel_track": (NOBODY, "versioning.add_trackedmodel"),
    "versioning_webhook_rotate": (NOBODY, "versioning.change_webhook"),
    "versioning_webhook_test": (NOBODY, "versioning.change_webhook"),
    # usual pages that ask for something else than their permission
    "versioning_apikey_change": ("versioning.view_apikey", NOBODY),
    "versioning_automationswitch_change": ("versioning.view_automationswitch", NOBODY),
    "versioning_automationswitch_changelist": (
        "versioning.view_automationswitch",
        "versioning.change_automationswitch",
    ),
    "versioning_driftfinding_change": ("versioning.view_driftfinding", NOBODY),
    "versioning_evaluationrun_add": (NOBODY, NOBODY),  # begun from a suite
    "versioning_evaluationrun_change": ("versioning.view_evaluationrun", NOBODY),
    "versioning_notice_change": ("versioning.view_notice", NOBODY),
}

OF_STRANGERS = {"login", "logout"}

USUAL: dict[str, Rule] = {
    "changelist": ("view", "view"),  # what is sent chooses an action, which asks by itself
    "add": ("add", "add"),
    "change": ("view", "change"),
    "delete": ("delete", "delete"),
    "history": ("view", "view"),
    "simple_history": ("view", NOBODY),
}
"""Pages that each table has: what they ask for, of the permissions for the table."""

CHANGES_NOTHING = {
    "versioning_upgraderecord_keep",
    "versioning_upgraderecord_seen",
    "versioning_upgraderecord_why",
}
"""What is sent to them changes nothing of a model: whoever sees it may."""


def rule_of(name: str) -> Rule:
    """Return what a page asks for. Raises KeyError where nobody has said it."""
    if name in RULES:
        return RULES[name]
    for model in admin.site._registry:
        app, table = model._meta.app_label, model._meta.model_name
        for page, verbs in USUAL.items():
            if name == f"{app}_{table}_{page}":
                get, post = (v if v == NOBODY else f"{app}.{v}_{table}" for v in verbs)
                return get, post
    raise KeyError(f"{name}: say in RULES what it asks for.")


def admin_routes() -> Iterator[tuple[str, Route]]:
    for route in routes():
        name = route.name.removeprefix("admin:")
        if name != route.name and name not in OF_STRANGERS:
            yield name, route


@pytest.fixture(autouse=True)
def without_templates(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw no page, for who may do what is asked before; and send nothing anywhere."""
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")
    for way in ("client.exchange", "push.exchange", "notify.subprocess.run"):
        monkeypatch.setattr(f"providers.http.{way}", _sends_nothing)
    logging.disable()  # what is refused is logged with where it was: the half of the time
    with nobody_waits():
        yield
    logging.disable(logging.NOTSET)


def _sends_nothing(*_: Any, **__: Any) -> Any:
    raise OSError("Nothing is sent here.")


def ask(client: Client, method: str, address: str) -> HttpResponse:
    """Ask, and undo what it did."""
    before = transaction.savepoint()
    answer = getattr(client, method)(address)
    transaction.savepoint_rollback(before)
    return answer  # type: ignore[no-any-return]


def is_let_in(answer: HttpResponse) -> bool:
    assert "/admin/login/" not in answer.get("Location", "")
    return answer.status_code not in (403, 405)


def browser(log_in: LogIn, group: str) -> Client:
    client = log_in(group)
    client.raise_request_exception = False  # it was let in: what comes of it is tested elsewhere
    return client


def test_each_group_may_do_on_each_page_what_its_rule_says(log_in: LogIn) -> None:
    """Asked are the least that may and the most that may not: a page asks for permissions alone."""
    make_world()
    people = {group: browser(log_in, group) for group in MAY}
    UserFactory(is_staff=True)  # whose pages are asked for: for one's own there are others
    wrong, asked = list[str](), 0
    for name, route in admin_routes():
        address = next(route.addresses())
        for method, needed in zip(("get", "post"), rule_of(name), strict=True):
            may = {each for each in MAY if needed == EVERYBODY or needed in MAY[each]}
            for group in (*_least(may), *_most(MAY.keys() - may)):
                answer, asked = ask(people[group], method, address), asked + 1
                if is_let_in(answer) != (group in may):
                    wrong.append(f"{method} {name} as {group or 'nobody'}: {answer.status_code}")
    assert wrong == []
    assert asked > 900


def _least(groups: Set[str]) -> list[str]:
    return [each for each in groups if not any(MAY[less] < MAY[each] for less in groups)]


def _most(groups: Set[str]) -> list[str]:
    return [each for each in groups if not any(MAY[each] < MAY[more] for more in groups)]


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_who_is_not_in_a_team_changes_nothing_of_it_whatever_their_group(
    log_in: LogIn, closed: bool
) -> None:
    """Of a closed team they find no page either."""
    make_world()
    team = Team.objects.create(
        name="pilots", group=Group.objects.create(name="pilots"), closed=closed
    )
    TrackedModel.objects.update(team=team)
    Notice.objects.filter(record=None).delete()  # of no model: for everybody
    tables = {f"{model._meta.app_label}_{model._meta.model_name}_" for model in PATHS}
    client, wrong, asked = browser(log_in, "operator"), list[str](), 0
    for name, route in admin_routes():
        if not route.parameters or not name.startswith(tuple(tables)):
            continue
        if not closed and (name in CHANGES_NOTHING or name.endswith("_history")):
            continue
        address = next(route.addresses())
        for method in ("get", "post") if closed else ("post",):
            answer, asked = ask(client, method, address), asked + 1
            if is_let_in(answer) and not _finds_nothing(answer):
                wrong.append(f"{method} {address}: {answer.status_code}")
    assert wrong == []
    assert asked > 50


def _finds_nothing(answer: HttpResponse) -> bool:
    """Say whether it is as if there was no such row: the admin then leads back to its start."""
    return answer.status_code == 404 or answer.get("Location") == "/admin/"
