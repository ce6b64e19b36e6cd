"""A key belongs to the place that it was released for; those in use so far are released."""

from typing import Any

from django.db import migrations, models

from providers import variables


def release_what_is_in_use(apps: Any, schema_editor: Any) -> None:
    for row in apps.get_model("providers", "Provider").objects.exclude(base_url=""):
        options = row.options if isinstance(row.options, dict) else {}
        names = [row.api_key_env, *(v for k, v in options.items() if k.endswith("_env"))]
        addresses = [row.base_url, *(v for k, v in options.items() if k.endswith("_url"))]
        row.key_released_to = variables.pairs(names, addresses)
        row.save(update_fields=["key_released_to"])


class Migration(migrations.Migration):
    dependencies = [("providers", "0002_options_name_prices")]

    operations = [
        migrations.AddField(
            model_name="provider",
            name="key_released_to",
            field=models.JSONField(
                default=list,
                editable=False,
                help_text="Which variable may go to which place, each as NAME https://host:port.",
            ),
        ),
        migrations.AddField(
            model_name="historicalprovider",
            name="key_released_to",
            field=models.JSONField(
                default=list,
                editable=False,
                help_text="Which variable may go to which place, each as NAME https://host:port.",
            ),
        ),
        migrations.RunPython(release_what_is_in_use, migrations.RunPython.noop),
    ]
