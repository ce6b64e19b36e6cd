"""A batch is stored whole, once, with its share of the roll-ups."""

import datetime as dt

import pytest

from tests.factories import NOW, tracked
from versioning.models import PerformanceSample
from versioning.services import ingestion, performance, rollups
from versioning.services.sample_format import SampleIn

pytestmark = pytest.mark.django_db


def sample(**fields: object) -> SampleIn:
    return SampleIn(**{"provider": "acme", "model": "writer", "time": NOW, **fields})


def accept(*samples: SampleIn, key: int | None = 1, now: dt.datetime = NOW) -> ingestion.Accepted:
    return ingestion.accept(samples, api_key_id=key, now=now)


@pytest.fixture
def writer(db: None):
    return tracked(name="writer", provider__slug="acme")


def test_a_sample_is_stored_at_the_current_version(writer):
    answer = accept(sample(quality=0.5, latency_ms=120))

    assert (answer.accepted, answer.duplicates, answer.rejected) == (1, 0, ())
    assert PerformanceSample.objects.get().version == writer.current_version
    figures = performance.figures(version_ids=[writer.current_version_id])
    assert figures[writer.current_version_id].total.quality == 0.5
    rollups.fold(now=NOW)
    assert performance.figures(version_ids=[writer.current_version_id]) == figures
