"""Reminders that wait while Hotswap is upgraded are sent all the same."""

import datetime as dt

import pytest
from django.core import mail
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.factories import NOW, tracked
from versioning.models import Reminder
from versioning.services import outbox

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0021_past_prices_and_cache_writes"


def test_what_was_written_and_not_sent_goes_out() -> None:
    model = tracked()
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes("versioning")
    old = MigrationExecutor(connection).migrate([("versioning", BEFORE)]).apps
    made = {
        "tracked_model_id": model.pk,
        "version_id": model.current_version_id,
        "retires_on": dt.date(2027, 1, 1),
        "subject": "zeta retires in 30 days",
        "body": "It does.",
        "to": "ada@example.com",
        "written_at": NOW,
        "next_try_at": NOW,
    }
    reminders = old.get_model("versioning", "Reminder").objects
    reminders.create(days_before=30, tries=3, problem="away", **made)
    reminders.create(days_before=60, sent_at=NOW, **made)

    MigrationExecutor(connection).migrate(latest)

    assert outbox.deliver_due(now=NOW) == 1
    assert [message.subject for message in mail.outbox] == ["zeta retires in 30 days"]
    assert not Reminder.objects.filter(sent_at=None).exists()
