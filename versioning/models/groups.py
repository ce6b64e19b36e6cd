"""The groups of staff: who may look, who may decide, who may set up, who may at once."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps as installed

DECISIONS = {
    "approve_upgrade": "Can approve upgrades",
    "reject_upgrade": "Can reject upgrades",
    "snooze_upgrade": "Can snooze upgrades",
    "roll_back_upgrade": "Can roll back upgrades",
    "emergency": "Can move at once in an emergency",
    "run_check": "Can ask the providers now",
    "setup": "Can set up providers, keys, models, policies, suites and schedules",
}

_SEEN = {
    "providers": ("provider",),
    "versioning": (
        "aliastarget",
        "automationswitch",
        "catalogueentry",
        "check",
        "delivery",
        "driftfinding",
        "emergency",
        "evaluationcase",
        "evaluationrun",
        "evaluationsuite",
        "event",
        "finding",
        "freeze",
        "leftoutspans",
        "lineagerule",
        "modelversion",
        "notice",
        "performancesample",
        "policy",
        "serveddrift",
        "slicetag",
        "team",
        "trackedmodel",
        "unknownmodel",
        "upgraderecord",
        "upgradestep",
    ),
    "django_celery_beat": ("periodictask", "crontabschedule", "intervalschedule"),
}
VIEWER = frozenset(f"{app}.view_{model}" for app, models in _SEEN.items() for model in models)
REVIEWER = VIEWER | {
    "versioning.approve_upgrade",
    "versioning.reject_upgrade",
    "versioning.snooze_upgrade",
    "versioning.roll_back_upgrade",
    "versioning.change_modelversion",
    "versioning.add_evaluationrun",
    "versioning.change_evaluationrun",
    "versioning.change_notice",
    "versioning.change_driftfinding",
}
OPERATOR = REVIEWER | {
    "versioning.run_check",
    "versioning.setup",
    "providers.add_provider",
    "providers.change_provider",
    "versioning.add_trackedmodel",
    "versioning.change_trackedmodel",
    "versioning.add_lineagerule",
    "versioning.change_lineagerule",
    "versioning.delete_lineagerule",
    "versioning.add_policy",
    "versioning.change_policy",
    "versioning.delete_policy",
    "versioning.add_freeze",
    "versioning.change_freeze",
    "versioning.delete_freeze",
    "versioning.change_automationswitch",
    "versioning.add_apikey",
    "versioning.change_apikey",
    "versioning.view_apikey",
    "versioning.add_webhook",
    "versioning.change_webhook",
    "versioning.delete_webhook",
    "versioning.view_webhook",
    "versioning.add_team",
    "versioning.change_team",
    "versioning.add_calendarfeed",
    "versioning.delete_calendarfeed",
    "versioning.view_calendarfeed",
    "versioning.add_recipient",
    "versioning.change_recipient",
    "versioning.delete_recipient",
    "versioning.view_recipient",
    "versioning.add_slicetag",
    "versioning.change_slicetag",
    "versioning.delete_slicetag",
    *(
        f"versioning.{verb}_{model}"
        for verb in ("add", "change")
        for model in ("evaluationcase", "evaluationsuite")
    ),
    "versioning.delete_evaluationcase",
    *(
        f"django_celery_beat.{verb}_{model}"
        for verb in ("add", "change")
        for model in _SEEN["django_celery_beat"]
    ),
}
GROUPS: Mapping[str, frozenset[str]] = {
    "viewer": VIEWER,
    "reviewer": REVIEWER,
    "operator": frozenset(OPERATOR),
    # Beside one of the others, for few: past tests, canary and approvals.
    "emergency": VIEWER | {"versioning.emergency"},
}


def sync_groups(apps: Any = None) -> None:
    """Make the groups, with what each may do; what staff gave them beside it stays.

    ``apps`` is a migration's registry. Permissions that Django has not made yet (it makes them
    after all migrations) are made here, under the names that it will look for.
    """
    apps = apps or installed
    group_model, made = apps.get_model("auth", "Group"), _permissions(apps)
    for name, wanted in GROUPS.items():
        group, _ = group_model.objects.get_or_create(name=name)
        group.permissions.add(*(made[dotted] for dotted in sorted(wanted)))


def _permissions(apps: Any) -> dict[str, int]:
    """Return the number of each permission of the groups; what is missing is made."""
    permissions = apps.get_model("auth", "Permission").objects
    stored = permissions.values_list(
        "content_type__app_label", "content_type__model", "codename", "pk"
    )
    known = {(app, model, codename): pk for app, model, codename, pk in stored}
    found: dict[str, int] = {}
    for dotted in frozenset[str]().union(*GROUPS.values()):
        app, codename = dotted.split(".")
        verb, _, model = codename.partition("_")
        name = f"Can {verb} {model}"
        if codename in DECISIONS:
            name, model = DECISIONS[codename], "trackedmodel"
        if (app, model, codename) not in known:
            content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
                app_label=app, model=model
            )
            new, _ = permissions.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            known[app, model, codename] = new.pk
        found[dotted] = known[app, model, codename]
    return found
