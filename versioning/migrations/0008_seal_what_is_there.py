"""Seal the rows of the history that were written before there were seals, as they are now.

Batch by batch, each in a transaction of its own: nobody who writes waits for more than one.
Broken off, it goes on where it was.
"""

from itertools import islice

from django.db import migrations, transaction
from django.utils import timezone

from versioning.models.seals import hashes_of

BATCH = 1_000
KEPT = ("UpgradeStep", "Approval", "OutcomeReport")


def seal_all(apps, schema_editor):
    seals = apps.get_model("versioning", "Seal")
    for table in apps.get_models():
        name = table._meta.object_name
        if name in KEPT or name.startswith("Historical"):
            _seal(table, seals)


def _seal(table, seals):
    name = table._meta.db_table
    sealed = seals.objects.filter(table=name).order_by("-row").values_list("row", flat=True)
    rows = table._base_manager.filter(pk__gt=sealed.first() or 0).order_by("pk").iterator(BATCH)
    while part := list(islice(rows, BATCH)):
        with transaction.atomic():
            seals.objects.bulk_create(
                seals(table=name, row=row.pk, fields=hashes_of(row), at=timezone.now())
                for row in part
            )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("providers", "0001_tables"),
        ("versioning", "0007_seals"),
    ]

    operations = [migrations.RunPython(seal_all, migrations.RunPython.noop, elidable=True)]
