"""A version's performance is kept at the moment it becomes current."""

import pytest

from tests.factories import NOW, ModelVersionFactory, tracked
from versioning.domain.stored_documents import SCHEMA_VERSION
from versioning.services.evidence import baselines
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

pytestmark = pytest.mark.django_db


def test_it_holds_what_was_measured_until_then():
    writer = tracked(name="writer", upstream_id="one", provider__slug="acme")
    newer = ModelVersionFactory(tracked_model=writer, upstream_id="two")
    samples = [
        SampleIn(provider="acme", model="writer", resolved_id="two", task=task, quality=quality)
        for task, quality in (("extract", 0.8), ("extract", 0.9), ("summarise", 0.4))
    ]
    ingestion.accept(samples, api_key_id=1, now=NOW)

    baselines.take_baseline(version=newer, now=NOW)
    ingestion.accept(samples[:1], api_key_id=1, now=NOW)

    newer.refresh_from_db()
    assert newer.baseline_taken_at == NOW
    assert newer.baseline["samples"] == 3
    assert newer.baseline["quality"] == pytest.approx(0.7)
    assert newer.baseline["tasks"]["extract"]["quality"] == pytest.approx(0.85)


def test_without_samples_it_says_so():
    """The first version becomes current before anything was measured."""
    writer = tracked()
    baselines.take_baseline(version=writer.current_version, now=NOW)
    assert writer.current_version.baseline["samples"] == 0
    assert writer.current_version.baseline["quality"] is None


def test_it_says_which_schema_it_is_of() -> None:
    writer = tracked()
    baselines.take_baseline(version=writer.current_version, now=NOW)
    assert writer.current_version.baseline["schema_version"] == SCHEMA_VERSION
