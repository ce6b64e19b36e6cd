"""Set up providers and tracked models."""

import datetime as dt

import pytest

from providers.models import Provider
from tests.factories import NOW, ProviderFactory
from versioning.models import CatalogueEntry, TrackedModel, UpgradeRecord
from versioning.services import providers, tracking
from versioning.services.actors import Actor
from versioning.services.errors import Invalid, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> Provider:
    return ProviderFactory(slug="router")


def listed(provider: Provider, *ids: str, **facts: object) -> None:
    for id in ids:
        CatalogueEntry.objects.create(
            provider=provider,
            upstream_id=id,
            facts=facts,
            first_seen_at=NOW,
            last_seen_at=NOW,
        )


def track(provider: Provider, name: str, upstream_id: str = "") -> TrackedModel:
    return tracking.start_tracking(
        provider_id=provider.pk,
        name=name,
        upstream_id=upstream_id,
        actor=Actor.command(),
        now=NOW,
    )


def test_tracking_begins_with_version_1_0_0_as_the_current_one(provider: Provider) -> None:
    listed(provider, "zed/zeta-4", context_tokens=8000, input_price="0.5")

    version = track(provider, "zeta", "zed/zeta-4").current_version

    assert version is not None
    assert (version.label, version.upstream_id) == ("1.0.0", "zed/zeta-4")
    assert (version.context_tokens, str(version.input_price)) == (8000, "0.500000")
    assert version.first_seen_at == NOW


def test_the_first_version_has_a_completed_record_of_its_own(provider: Provider) -> None:
    tracked = track(provider, "zeta", "zed/zeta-4")

    record = UpgradeRecord.objects.get()
    assert (record.state, record.completion_number) == ("completed", 1)
    assert record.to_version == tracked.current_version
    assert record.steps.get().actor_kind == "command"


def test_the_ending_of_an_id_is_enough_where_it_is_the_only_one(provider: Provider) -> None:
    listed(provider, "zed/zeta-4", "zed/omega-1")

    version = track(provider, "zeta-4").current_version

    assert version is not None
    assert version.upstream_id == "zed/zeta-4"


def test_an_ending_that_two_ids_share_is_taken_as_it_is(provider: Provider) -> None:
    listed(provider, "zed/zeta-4", "other/zeta-4")

    version = track(provider, "zeta-4").current_version

    assert version is not None
    assert version.upstream_id == "zeta-4"


def test_the_same_name_is_tracked_once(provider: Provider) -> None:
    track(provider, "zeta")

    with pytest.raises(Invalid, match="already has a tracked model"):
        track(provider, "zeta")
    assert TrackedModel.objects.count() == 1


def test_an_error_names_its_field(provider: Provider) -> None:
    with pytest.raises(Invalid) as refused:
        track(provider, "z" * 201)

    assert refused.value.errors[0].pointer == "/name"
    assert not TrackedModel.objects.exists()


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(NotFound):
        tracking.start_tracking(provider_id=0, name="zeta", actor=Actor.command(), now=NOW)


def test_a_provider_with_a_key_instead_of_a_variable_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        providers.add(
            slug="mine",
            kind="openai",
            base_url="http://127.0.0.1:9/v1",
            api_key_env="sk-abc",
            actor=Actor.command(),
        )

    assert [error.pointer for error in refused.value.errors] == ["/api_key_env"]
    assert "sk-abc" not in str(refused.value)


def test_what_follows_in_the_last_listing_waits_at_once(provider: Provider) -> None:
    listed(provider, "gpt-4.1", "gpt-5")

    model = track(provider, "writer", "gpt-4.1")

    waiting = UpgradeRecord.objects.waiting().get(tracked_model=model)
    assert waiting.to_version.upstream_id == "gpt-5"
    assert "last read" not in " ".join(waiting.reasons)


def test_an_old_listing_is_said_to_be_old(provider: Provider) -> None:
    listed(provider, "gpt-4.1", "gpt-5")
    CatalogueEntry.objects.update(last_seen_at=NOW - dt.timedelta(days=12))

    track(provider, "writer", "gpt-4.1")

    reasons = UpgradeRecord.objects.waiting().get().reasons
    assert reasons[-1].startswith("Its provider's list was last read on 17 Feb 2026")


@pytest.mark.parametrize("state", ["nothing is listed", "the provider is switched off"])
def test_nothing_is_made_up_where_nothing_is_known(provider: Provider, state: str) -> None:
    if state == "the provider is switched off":
        listed(provider, "gpt-4.1", "gpt-5")
        Provider.objects.update(enabled=False)

    track(provider, "writer", "gpt-4.1")

    assert not UpgradeRecord.objects.waiting().exists()
