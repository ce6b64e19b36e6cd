"""To set up is a permission and a scope of its own, apart from decisions.

Operators have it. People and groups who were given providers' pages by themselves keep what they
could do. Keys do not get the scope: whoever needs one that sets up makes it anew.
"""

from typing import Any

from django.db import migrations, models

from versioning.models.groups import sync_groups

SET_UP_BEFORE = ("add_provider", "change_provider")


def give_the_permission(apps: Any, schema_editor: Any) -> None:
    sync_groups(apps)
    permissions = apps.get_model("auth", "Permission").objects
    setup = permissions.get(codename="setup", content_type__app_label="versioning")
    before = permissions.filter(codename__in=SET_UP_BEFORE, content_type__app_label="providers")
    for group in apps.get_model("auth", "Group").objects.filter(permissions__in=before).distinct():
        group.permissions.add(setup)
    users = apps.get_model("auth", "User").objects.filter(user_permissions__in=before)
    for user in users.distinct():
        user.user_permissions.add(setup)


class Migration(migrations.Migration):
    dependencies = [
        ("versioning", "0009_maybes"),
        ("django_celery_beat", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="trackedmodel",
            options={
                "permissions": [
                    ("approve_upgrade", "Can approve upgrades"),
                    ("reject_upgrade", "Can reject upgrades"),
                    ("snooze_upgrade", "Can snooze upgrades"),
                    ("roll_back_upgrade", "Can roll back upgrades"),
                    ("run_check", "Can ask the providers now"),
                    (
                        "setup",
                        "Can set up providers, keys, models, policies, suites and schedules",
                    ),
                ]
            },
        ),
        migrations.AlterField(
            model_name="apikey",
            name="scopes",
            field=models.JSONField(
                default=list,
                help_text="What it may do: read, ingest, decide, setup. Give as few as it needs.",
            ),
        ),
        migrations.RunPython(give_the_permission, migrations.RunPython.noop),
    ]
