"""First steps: ticked by what the tables hold, shown while some are left."""

from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import ProviderFactory, UserFactory, tracked
from tests.versioning.admin.conftest import recommend
from tests.versioning.admin.pages import text
from versioning.models import Check, TrackedModel
from versioning.models.groups import sync_groups
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

INBOX = reverse("admin:index")
PAGE = reverse("admin:versioning_trackedmodel_first_steps")
PUT_AWAY = reverse("admin:versioning_trackedmodel_put_away")

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def checked() -> TrackedModel:
    """Return a model in use, at a provider that answered."""
    model = tracked(name="writer", provider=ProviderFactory(slug="router"))
    Check.objects.create(
        provider=model.provider,
        state="unchanged",
        trigger="manual",
        started_at=timezone.now(),
        lease_until=timezone.now(),
    )
    return model


def take_in_a_sample(model: TrackedModel) -> None:
    sample = SampleIn(provider=model.provider.slug, model=model.name, latency_ms=3.0)
    ingestion.accept([sample], api_key_id=None, now=timezone.now())


def test_an_empty_server_begins_with_a_provider(operator: Client) -> None:
    page = text(operator.get(INBOX))
    assert "First steps: 0 of 5 done" in page
    assert "add_provider openrouter" in page
    assert "check_providers" not in page  # one thing at a time


def test_a_failed_check_is_no_step(operator: Client) -> None:
    Check.objects.create(
        provider=ProviderFactory(),
        state="failed",
        trigger="manual",
        started_at=timezone.now(),
        lease_until=timezone.now(),
    )
    assert "First steps: 1 of 5 done" in text(operator.get(INBOX))


def test_the_lines_to_paste_have_this_servers_address_and_no_key(operator: Client) -> None:
    checked()
    page = text(operator.get(PAGE))
    assert "First steps: 3 of 5 done" in page
    assert "curl http://testserver/api/performance-samples" in page
    assert "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://testserver/v1/traces" in page
    assert '"provider": "router", "model": "writer"' in unescape(page)
    assert "hs_YOUR_KEY" in page


def test_what_is_seen_and_not_tracked_is_another_way(operator: Client) -> None:
    provider = ProviderFactory(slug="router")
    Check.objects.create(
        provider=provider,
        state="changed",
        trigger="manual",
        started_at=timezone.now(),
        lease_until=timezone.now(),
    )
    sample = SampleIn(provider="router", upstream_id="zeta-9", latency_ms=3.0)
    ingestion.accept([sample], api_key_id=None, now=timezone.now())
    seen = reverse("admin:versioning_unknownmodel_changelist")
    assert f'href="{seen}">Some are seen already' in operator.get(INBOX).content.decode()


def test_the_first_decision_ends_them(operator: Client) -> None:
    record = recommend(name="writer")
    Check.objects.create(
        provider=record.tracked_model.provider,
        state="changed",
        trigger="manual",
        started_at=timezone.now(),
        lease_until=timezone.now(),
    )
    take_in_a_sample(record.tracked_model)
    assert "First steps: 4 of 5 done" in text(operator.get(INBOX))

    record.state = "rejected"
    record.save(update_fields=["state"])

    assert "First steps" not in operator.get(INBOX).content.decode().partition("<main")[2]
    assert "First steps: all done" in text(operator.get(PAGE))


def test_put_away_they_have_a_page_still(operator: Client) -> None:
    operator.post(PUT_AWAY)
    assert "First steps: 0" not in text(operator.get(INBOX))
    assert "First steps: 0 of 5 done" in text(operator.get(PAGE))


def test_a_viewer_sees_them_without_dead_buttons(client: Client) -> None:
    viewer = UserFactory(is_staff=True)
    viewer.groups.set(sync_groups_of("viewer"))
    client.force_login(viewer)
    page = client.get(PAGE).content.decode().partition("<main")[2]
    assert "First steps: 0 of 5 done" in page
    assert "hs-primary" not in page
    assert "/add/" not in page


def sync_groups_of(name: str) -> list[object]:
    from django.apps import apps
    from django.contrib.auth.models import Group

    sync_groups(apps)
    return list(Group.objects.filter(name=name))


def test_they_take_as_many_queries_however_much_there_is(operator: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            operator.get(PAGE)
        return len(asked)

    model = checked()
    queries()
    few = queries()
    for number in range(20):
        take_in_a_sample(tracked(name=f"more-{number}", provider=model.provider))
    assert queries() <= few
