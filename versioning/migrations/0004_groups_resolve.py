"""Reviewers may resolve notices and drift findings, operators delete freezes."""

from django.db import migrations

from versioning.models.groups import sync_groups


class Migration(migrations.Migration):
    dependencies = [
        ("versioning", "0003_sessions_and_uses"),
        ("django_celery_beat", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: sync_groups(apps), migrations.RunPython.noop
        ),
    ]
