"""What waits for locks puts its patience back, whatever happened meanwhile."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from versioning.services.lock_timeouts import waiting_at_most

pytestmark = pytest.mark.django_db


class Crash(BaseException):
    """What cut it off."""


def crash() -> None:
    transaction.set_rollback(True)
    raise Crash


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's ends with its transaction")
def test_what_cut_it_off_is_what_is_heard_of() -> None:
    """An error while it was put back hid the crash: the transaction was broken off already."""
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()
    with pytest.raises(Crash), transaction.atomic(), waiting_at_most(timedelta(seconds=0.1)):
        crash()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == usual
