"""Find the successor of each version in use, and what staff may say about it."""

import pytest

from providers.models import Provider
from tests.factories import NOW, ProviderFactory
from tests.factories import tracked as tracked_by_factory
from versioning.domain.policy import Asker
from versioning.models import CatalogueEntry, LineageRule, Policy, TrackedModel, UpgradeRecord
from versioning.services import tracking
from versioning.services.actors import Actor
from versioning.services.errors import NotFound
from versioning.services.upgrades import decisions, python_api, recommendation, selection

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
    decisions.reject(record_id=record.pk, actor=staff, now=NOW, reason="Worse at our work.")
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
    odd = tracked_by_factory(name="odd", upstream_id="\u202ezeta", provider=provider)

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
    provider: Provider, tracked: TrackedModel
) -> None:
    TrackedModel.objects.filter(pk=tracked.pk).update(pinned=True, pin_reason="Audit until May")
    list_models(provider, NEWEST)

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


class TestMaybes:
    """Shown apart, each with its doubt; nothing goes by itself on one."""

    @pytest.fixture
    def model(self) -> TrackedModel:
        provider = ProviderFactory()
        list_models(provider, "orbit-v3.2", "orbit-v4-pro", "orbit-v4-flash")
        return tracking.start_tracking(
            provider_id=provider.pk,
            name="orbit",
            upstream_id="orbit-v3.2",
            actor=Actor.command(),
            now=NOW,
        )

    def test_each_is_written_down_and_none_is_recommended(self, model: TrackedModel) -> None:
        assert recommend(model) is None

        records = UpgradeRecord.objects.maybes().filter(tracked_model=model)
        ids = {record.to_version.upstream_id for record in records}
        assert ids == {"orbit-v4-pro", "orbit-v4-flash"}
        assert all("split" in record.doubt and record.confidence < 0.3 for record in records)
        assert not recommendation.open_recommendations().exists()
        assert not python_api.check_for_upgrade(
            provider=model.provider.slug, model="orbit"
        ).has_upgrade

    def test_asking_again_writes_nothing_twice(self, model: TrackedModel) -> None:
        recommend(model)
        recommend(model)

        assert UpgradeRecord.objects.filter(step=UpgradeRecord.Step.MAYBE).count() == 2

    def test_none_goes_by_itself_whatever_the_policy_says(self, model: TrackedModel) -> None:
        recommend(model)
        Policy.objects.create(tracked_model=model, automation="after_gates")

        assert python_api.upgrade_by_policy(now=NOW) == []
        for record in UpgradeRecord.objects.maybes():
            why = python_api.why_not_by_itself(record=record, now=NOW, asked_by=Asker.CLIENT)
            assert why.startswith("A maybe never goes by itself")
        asked = python_api.auto_upgrade(provider=model.provider.slug, model="orbit", now=NOW)
        assert not asked.upgraded
        with pytest.raises(selection.NothingRecommended):
            decisions.request_upgrade(
                tracked=model, actor=Actor.command(), now=NOW, reason="", evidence_hash=None
            )

    def test_one_that_becomes_sure_is_recommended_instead(self, model: TrackedModel) -> None:
        recommend(model)
        CatalogueEntry.objects.filter(upstream_id="orbit-v4-flash").update(upstream_id="orbit-v4")
        CatalogueEntry.objects.filter(upstream_id="orbit-v4").update(facts={})

        record = recommend(model)

        assert record is not None
        assert (record.step, record.doubt) == ("major", "")
        assert not UpgradeRecord.objects.maybes().exists()

    def test_the_same_target_is_offered_anew_once_it_is_sure(self) -> None:
        provider = ProviderFactory()
        list_models(provider, "orbit-2", released="2025-03-14")
        list_models(provider, "orbit-2-0905", released="2025-09-05")
        tracked = tracking.start_tracking(
            provider_id=provider.pk, name="o", upstream_id="orbit-2", actor=Actor.command(), now=NOW
        )
        assert recommend(tracked) is None
        maybe = UpgradeRecord.objects.maybes().get()
        for id, context in (("orbit-2", 8000), ("orbit-2-0905", 64000)):
            entry = CatalogueEntry.objects.get(upstream_id=id)
            entry.facts = {**entry.facts, "context_tokens": context}
            entry.save()

        record = recommend(tracked)

        maybe.refresh_from_db()
        assert record is not None
        assert record.to_version_id == maybe.to_version_id
        assert (record.step, maybe.state) == ("snapshot", "superseded")

    def test_who_rejects_one_is_not_asked_again(self, model: TrackedModel, staff: Actor) -> None:
        recommend(model)
        record = UpgradeRecord.objects.maybes().get(to_version__upstream_id="orbit-v4-pro")
        decisions.reject(record_id=record.pk, actor=staff, now=NOW, reason="Another line.")

        recommend(model)

        left = UpgradeRecord.objects.maybes().get()
        assert left.to_version.upstream_id == "orbit-v4-flash"


def test_an_id_of_another_case_is_the_one_that_is_listed(provider: Provider) -> None:
    shouted = tracking.start_tracking(
        provider_id=provider.pk, name="loud", upstream_id=OLD, actor=Actor.command(), now=NOW
    )
    shouted.versions.filter(upstream_id=OLD).update(upstream_id=OLD.upper())
    CatalogueEntry.objects.filter(upstream_id=OLD).update(
        facts={"replacement": "omega-1", "source": "a list"}
    )
    list_models(provider, "omega-1")

    answer = recommendation.explain(tracked_model_id=shouted.pk)

    assert answer.replacement is not None
