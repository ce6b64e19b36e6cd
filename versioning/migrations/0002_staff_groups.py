"""The three groups of staff: viewer, reviewer, operator."""

from django.db import migrations

from versioning.models.groups import sync_groups


class Migration(migrations.Migration):
    dependencies = [
        ("versioning", "0001_tables"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("django_celery_beat", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: sync_groups(apps), migrations.RunPython.noop
        ),
    ]
