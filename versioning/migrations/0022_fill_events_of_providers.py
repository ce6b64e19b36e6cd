"""Say of the events that there are whose provider's they are, and keep the order of deliveries.

Batch by batch, each in a transaction of its own: nobody who writes waits for more than one. What
samples showed until now is no news any more.
"""

from django.db import migrations, transaction
from django.db.models import CharField, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Concat

BATCH = 5_000


def fill(apps, schema_editor):
    events, deliveries, models = (
        apps.get_model("versioning", name) for name in ("Event", "Delivery", "TrackedModel")
    )
    of_model = models.objects.filter(pk=OuterRef("tracked_model")).values("provider")[:1]
    _in_parts(events.objects.filter(provider=None), provider=Subquery(of_model))
    lane = Concat(Value("model "), Cast("tracked_model_id", CharField()))
    _in_parts(deliveries.objects.filter(lane=""), lane=lane)
    apps.get_model("versioning", "ServedDrift").objects.filter(told_at=None).update(
        told_at=F("since")
    )
    apps.get_model("versioning", "UnknownModel").objects.filter(told_at=None).update(
        told_at=F("first_seen_at")
    )


def _in_parts(rows, **values):
    rows = rows.exclude(tracked_model=None)
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            rows.model.objects.filter(pk__in=ids).update(**values)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("versioning", "0021_events_of_providers")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
