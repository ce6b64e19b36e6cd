"""Find the successor of each version in use, and what staff may say about it."""

import pytest

from providers.models import Provider
from tests.factories import NOW, ProviderFactory
from versioning.models import CatalogueEntry, LineageRule, TrackedModel, UpgradeRecord
from versioning.services import tracking
from versioning.services.actors import Actor
from versioning.services.errors import NotFound
from versioning.services.upgrades import recommendation, rollout

pytestmark = pytest.mark.django_db

OLD, NEW, NEWEST = "zeta-4-mini-20250101", "zeta-4-mini-20250301", "zeta-4-mini-20250401"


@pytest.fixture
def provider() -> Provider:
    provider = ProviderFactory()
    list_models(provider, OLD, NEW)
    return provider


@pytest.fixture
def tracked(provider: Provider) -> TrackedModel:
    return tracking.start_tracking(
        provider_id=provider.pk, name="zeta", upstream_id=OLD, actor=Actor.command(), now=NOW
    )


def list_models(provider: Provider, *ids: str, **facts: object) -> None:
    for id in ids:
        CatalogueEntry.objects.create(
            provider=provider, upstream_id=id, facts=facts, first_seen_at=NOW, last_seen_at=NOW
        )


def rule(tracked: TrackedModel, kind: str, pattern: str) -> None:
    LineageRule.objects.create(tracked_model=tracked, kind=kind, pattern=pattern, made_by="Grace")


def recommend(tracked: TrackedModel) -> UpgradeRecord | None:
    return recommendation.recommend(tracked_model_id=tracked.pk, now=NOW)


def test_the_newest_of_the_line_is_recommended(provider: Provider, tracked: TrackedModel) -> None:
    list_models(provider, NEWEST)

    record = recommend(tracked)

    assert record is not None
    assert record.to_version.upstream_id == NEWEST
    assert NEW in {other["id"] for other in record.runners_up}


def test_a_recommendation_begins_its_history(tracked: TrackedModel) -> None:
    record = recommend(tracked)

    assert record is not None
    step = record.steps.get()
    assert (step.before, step.after, step.actor_kind) == ("", "recommended", "scheduler")


def test_an_ignored_pattern_is_passed_over(tracked: TrackedModel) -> None:
    rule(tracked, "ignore", "zeta-4-mini-202503*")

    assert recommend(tracked) is None


def test_a_forbidden_id_is_passed_over_and_the_rule_is_cited(tracked: TrackedModel) -> None:
    rule(tracked, "forbid", NEW)

    answer = recommendation.explain(tracked_model_id=tracked.pk)

    assert answer.successor is None
    assert "Grace" in {other.id: other.why_not for other in answer.runners_up}[NEW]


def test_one_listed_between_is_offered_only_where_staff_forbid_the_newest(
    provider: Provider, tracked: TrackedModel, staff: Actor
) -> None:
    list_models(provider, NEWEST)
    record = recommend(tracked)
    assert record is not None
    rollout.reject(record_id=record.pk, actor=staff, now=NOW, reason="Worse at our work.")
    assert recommend(tracked) is None

    rule(tracked, "forbid", NEWEST)

    other = recommend(tracked)
    assert other is not None
    assert other.to_version.upstream_id == NEW


def test_a_successor_that_staff_set_wins(provider: Provider, tracked: TrackedModel) -> None:
    list_models(provider, "omega-1-chat")
    rule(tracked, "successor", "omega-1-chat")

    record = recommend(tracked)

    assert record is not None
    assert record.to_version.upstream_id == "omega-1-chat"
    assert any("Grace" in reason for reason in record.reasons)


def test_a_recommendation_whose_target_is_gone_is_superseded(tracked: TrackedModel) -> None:
    record = recommend(tracked)
    assert record is not None
    CatalogueEntry.objects.filter(upstream_id=NEW).update(gone_at=NOW)

    assert recommend(tracked) is None
    record.refresh_from_db()
    assert record.state == "superseded"


def test_a_replacement_that_the_provider_states_is_quoted(
    provider: Provider, tracked: TrackedModel
) -> None:
    CatalogueEntry.objects.filter(upstream_id=NEW).delete()
    list_models(provider, "omega-1-chat")
    CatalogueEntry.objects.filter(upstream_id=OLD).update(
        facts={"replacement": "omega-1-chat", "source": "the provider's list of models"}
    )

    record = recommend(tracked)

    assert record is not None
    assert (record.step, record.to_version.label) == ("replacement", "2.0.0")
    assert "the provider's list of models" in " ".join(record.reasons)


def test_a_name_that_cannot_be_read_gets_no_recommendation(provider: Provider) -> None:
    odd = tracking.start_tracking(
        provider_id=provider.pk,
        name="odd",
        upstream_id="\u202ezeta",
        actor=Actor.command(),
        now=NOW,
    )

    assert recommend(odd) is None
    assert recommendation.explain(tracked_model_id=odd.pk).reasons


def test_an_unknown_tracked_model_is_refused() -> None:
    with pytest.raises(NotFound):
        recommendation.recommend(tracked_model_id=0, now=NOW)
    with pytest.raises(NotFound):
        recommendation.explain(tracked_model_id=0)


def test_each_rule_is_cited_with_who_made_it(provider: Provider, tracked: TrackedModel) -> None:
    list_models(provider, NEWEST)
    for pattern, person in ((NEW, "Ada"), (NEWEST, "Grace")):
        LineageRule.objects.create(
            tracked_model=tracked, kind="forbid", pattern=pattern, made_by=person
        )

    answer = recommendation.explain(tracked_model_id=tracked.pk)

    said = {other.id: other.why_not for other in answer.runners_up}
    assert "Ada" in said[NEW]
    assert "Grace" in said[NEWEST]


def test_a_pinned_model_is_still_recommended_and_says_that_it_is_pinned(
    tracked: TrackedModel,
) -> None:
    TrackedModel.objects.filter(pk=tracked.pk).update(pinned=True, pin_reason="Audit until May")

    record = recommend(tracked)

    assert record is not None
    assert "Audit until May" in record.reasons[0]


def test_an_end_that_is_years_away_keeps_no_model_from_being_offered(
    provider: Provider, tracked: TrackedModel
) -> None:
    list_models(provider, NEWEST, retires_on=str(NOW.date().replace(year=NOW.year + 2)))

    record = recommend(tracked)

    assert record is not None
    assert record.to_version.upstream_id == NEWEST
