"""Seal the looks that are kept for good and were written before looks were sealed, as they are now.

Batch by batch, each in a transaction of its own: nobody who writes waits for more than one.
Broken off, it goes on where it was.
"""

from itertools import islice

from django.db import migrations, transaction
from django.utils import timezone

from versioning.models.seals import hashes_of

BATCH = 1_000


def seal_looks(apps, schema_editor):
    looks, seals = apps.get_model("versioning", "Look"), apps.get_model("versioning", "Seal")
    name = looks._meta.db_table
    sealed = seals.objects.filter(table=name).order_by("-row").values_list("row", flat=True)
    kept = looks._base_manager.filter(is_news=True, pk__gt=sealed.first() or 0)
    rows = kept.order_by("pk").iterator(BATCH)
    while part := list(islice(rows, BATCH)):
        with transaction.atomic():
            seals.objects.bulk_create(
                seals(table=name, row=row.pk, fields=hashes_of(row), at=timezone.now())
                for row in part
            )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("versioning", "0018_emergencies")]

    operations = [migrations.RunPython(seal_looks, migrations.RunPython.noop, elidable=True)]
