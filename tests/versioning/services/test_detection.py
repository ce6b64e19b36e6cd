"""Ask the providers, record what was found, never conclude anything from a failure."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import NOW, ProviderFactory
from versioning.domain import lineage
from versioning.models import (
    AliasTarget,
    CatalogueEntry,
    Check,
    Finding,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import leases, tracking
from versioning.services.actors import Actor
from versioning.services.checks import detection
from versioning.services.errors import NotFound
from versioning.services.upgrades import decisions, recommendation

DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(simulator: Simulator) -> Provider:
    """An OpenRouter with a few models, one of them known to follow another later."""
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101", context=8000)
    simulator.catalogue.add("openrouter", "zed/zeta-4-20250101", context=16_000)
    simulator.catalogue.add("openrouter", "other/omega-2-7b-instruct")
    return ProviderFactory(
        slug="router", kind="openrouter", base_url=simulator.base_url("openrouter")
    )


def ask(provider: Provider, *, days: int = 0) -> Check:
    return detection.run_check(provider_id=provider.pk, trigger="command", now=NOW + days * DAY)


def track(provider: Provider, upstream_id: str = "zed/zeta-4-mini-20250101") -> TrackedModel:
    return tracking.start_tracking(
        provider_id=provider.pk,
        name=upstream_id.replace("/", "-"),
        upstream_id=upstream_id,
        actor=Actor.command(),
        now=NOW,
    )


def test_the_first_check_learns_the_catalogue(provider: Provider) -> None:
    check = ask(provider)

    assert (check.state, check.listed, check.added) == ("changed", 3, 3)
    assert provider.catalogue.count() == 3


def test_a_second_look_at_the_same_finds_nothing(provider: Provider) -> None:
    ask(provider)

    check = ask(provider, days=1)

    assert (check.state, check.difference) == ("unchanged", {})


def test_a_new_snapshot_of_a_tracked_model_is_recommended(
    provider: Provider, simulator: Simulator
) -> None:
    ask(provider)
    tracked = track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301", context=32_000)

    check = ask(provider, days=1)

    record = recommendation.open_recommendations().get()
    assert check.recommended == 1
    assert record.tracked_model == tracked
    assert record.step == "snapshot"
    assert (record.from_version.label, record.to_version.label) == ("1.0.0", "1.1.0")
    assert record.to_version.upstream_id == "zed/zeta-4-mini-20250301"
    assert record.to_version.improvements == ["context 8,000 → 32,000 tokens"]
    assert record.reasons
    assert Finding.objects.get(kind="new_version").version == record.to_version


def test_a_check_asks_the_database_no_more_for_more_models(simulator: Simulator) -> None:
    """As many queries for twelve models as for three, whatever is new."""
    for number in range(12):
        simulator.catalogue.add("openrouter", f"maker{number}/zeta-4-20250101", context=8000)
    providers = {}
    for models in (3, 12):
        address = simulator.base_url("openrouter")
        providers[models] = ProviderFactory(
            slug=f"of-{models}", kind="openrouter", base_url=address
        )
        ask(providers[models])
        for number in range(models):
            track(providers[models], f"maker{number}/zeta-4-20250101")
    needed: dict[int, list[int]] = {3: [], 12: []}
    for day in (1, 2, 3):
        if day == 2:
            for number in range(12):
                simulator.catalogue.add("openrouter", f"maker{number}/zeta-4-20250301")
        for models, provider in providers.items():
            with CaptureQueriesContext(connection) as asked:
                check = ask(provider, days=day)
            assert check.recommended == (models if day == 2 else 0)
            needed[models].append(len(asked))

    assert needed[12] == needed[3]


def test_what_a_check_asks_of_lineage_it_asks_once(
    provider: Provider, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it probes and when it recommends it is the same question."""
    ask(provider)
    track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")
    asked: list[str] = []
    find = lineage.find_successor

    def found(known: lineage.Known, **more: Any) -> lineage.Answer:
        asked.append(known.id)
        return find(known, **more)

    monkeypatch.setattr(lineage, "find_successor", found)

    assert ask(provider, days=1).recommended == 1
    assert asked == ["zed/zeta-4-mini-20250101"]


def test_a_look_alike_is_not_recommended(provider: Provider, simulator: Simulator) -> None:
    ask(provider)
    track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-20250301")
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-vision-20250301")

    assert ask(provider, days=1).recommended == 0


def test_asking_again_recommends_once(provider: Provider, simulator: Simulator) -> None:
    ask(provider)
    track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")

    for day in (1, 2, 3):
        ask(provider, days=day)

    assert UpgradeRecord.objects.waiting().count() == 1


def test_a_newer_version_supersedes_the_recommendation(
    provider: Provider, simulator: Simulator
) -> None:
    ask(provider)
    track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")
    ask(provider, days=1)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250401")
    ask(provider, days=2)

    states = UpgradeRecord.objects.exclude(origin="tracking").order_by("pk")

    assert [record.state for record in states] == ["superseded", "recommended"]


def test_what_was_rejected_is_not_asked_again(
    provider: Provider, simulator: Simulator, staff: Actor
) -> None:
    ask(provider)
    track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")
    ask(provider, days=1)
    record = recommendation.open_recommendations().get()
    decisions.reject(record_id=record.pk, actor=staff, now=NOW + DAY, reason="Too dear.")

    ask(provider, days=2)

    assert not recommendation.open_recommendations().exists()


def test_what_was_rolled_back_is_not_asked_again(
    provider: Provider, simulator: Simulator, staff: Actor
) -> None:
    ask(provider)
    tracked = track(provider)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")
    ask(provider, days=1)
    record = recommendation.open_recommendations().get()
    decisions.approve(record_id=record.pk, actor=staff, now=NOW + DAY)
    decisions.roll_back(
        tracked_model_id=tracked.pk, actor=staff, now=NOW + DAY, reason="Answers in French."
    )

    ask(provider, days=2)

    assert not recommendation.open_recommendations().exists()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("http_500", "unavailable"),
        ("unauthorized", "refused"),
        ("html", "nonsense"),
        ("empty", "nonsense"),
        ("garbage", ""),
    ],
)
def test_a_failure_says_so_and_changes_nothing(
    provider: Provider, simulator: Simulator, fault: str, kind: str
) -> None:
    ask(provider)
    track(provider)
    before = list(provider.catalogue.values_list("upstream_id", "missed_listings", "gone_at"))
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")
    simulator.fail("openrouter", fault)

    check = ask(provider, days=1)

    if kind:
        assert (check.state, check.error_kind) == ("failed", kind)
        assert check.error
        assert not UpgradeRecord.objects.waiting().exists()
        assert (
            list(provider.catalogue.values_list("upstream_id", "missed_listings", "gone_at"))
            == before
        )
    else:
        assert (check.state, check.dropped) == ("partly", 1)
        assert not provider.catalogue.filter(missed_listings__gt=0).exists()


def test_a_missing_id_is_provisional_then_gone_then_back(
    provider: Provider, simulator: Simulator
) -> None:
    ask(provider)
    version = track(provider).current_version
    assert version is not None
    simulator.catalogue.remove("openrouter", "zed/zeta-4-mini-20250101")

    for day, gone in ((1, False), (2, False), (3, True)):
        ask(provider, days=day)
        version.refresh_from_db()
        assert (version.gone_at is not None) is gone

    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250101", context=8000)
    ask(provider, days=4)
    version.refresh_from_db()

    assert version.is_listed
    assert list(Finding.objects.order_by("pk").values_list("kind", flat=True)) == [
        "missing",
        "gone",
        "reappeared",
    ]


def test_three_listings_in_one_hour_are_not_enough_to_be_gone(
    provider: Provider, simulator: Simulator
) -> None:
    ask(provider)
    simulator.catalogue.remove("openrouter", "other/omega-2-7b-instruct")

    for minutes in (1, 2, 3, 4):
        detection.run_check(
            provider_id=provider.pk, trigger="command", now=NOW + timedelta(minutes=minutes)
        )

    entry = CatalogueEntry.objects.get(upstream_id="other/omega-2-7b-instruct")
    assert (entry.missed_listings, entry.gone_at) == (4, None)


def test_a_listing_that_lost_most_is_believed_only_when_seen_again(
    provider: Provider, simulator: Simulator
) -> None:
    ask(provider)
    for id in ("zed/zeta-4-20250101", "other/omega-2-7b-instruct"):
        simulator.catalogue.remove("openrouter", id)

    doubted, believed = ask(provider, days=1), ask(provider, days=2)

    assert (doubted.state, doubted.error_kind, doubted.shrunk_to) == ("failed", "nonsense", 1)
    assert (believed.state, believed.missing) == ("changed", 2)


def test_an_announced_retirement_reaches_version_and_recommendation(
    provider: Provider, simulator: Simulator
) -> None:
    ask(provider)
    version = track(provider).current_version
    assert version is not None
    simulator.catalogue.change("openrouter", "zed/zeta-4-mini-20250101", retires=500)
    simulator.catalogue.add("openrouter", "zed/zeta-4-mini-20250301")

    ask(provider, days=1)

    version.refresh_from_db()
    assert version.retires_on == date(2026, 5, 16)
    assert recommendation.open_recommendations().get().urgent_on == date(2026, 5, 16)
    assert Finding.objects.get(kind="retirement").sentence.startswith("zed/zeta-4-mini-20250101")


def test_a_changed_price_is_kept_before_and_after(provider: Provider, simulator: Simulator) -> None:
    ask(provider)
    track(provider)
    simulator.catalogue.change("openrouter", "zed/zeta-4-mini-20250101", input_price=Decimal("0.5"))

    ask(provider, days=1)

    finding = Finding.objects.get(kind="metadata")
    assert Decimal(finding.before["input_price"]) == 1
    assert Decimal(finding.after["input_price"]) == Decimal("0.5")


def test_a_check_leaves_what_a_person_set(provider: Provider, simulator: Simulator) -> None:
    ask(provider)
    version = track(provider).current_version
    assert version is not None
    version.input_price, version.staff_fields = Decimal(7), ["input_price"]
    version.added_improvements = ["Follows our style guide"]
    version.save()
    simulator.catalogue.change(
        "openrouter", "zed/zeta-4-mini-20250101", input_price=Decimal(2), context=9000
    )

    ask(provider, days=1)

    version.refresh_from_db()
    assert (version.input_price, version.context_tokens) == (Decimal(7), 9000)
    assert version.improvements == ["Follows our style guide"]


def test_another_revision_under_the_same_name_is_news(
    provider: Provider, simulator: Simulator
) -> None:
    simulator.catalogue.change("openrouter", "other/omega-2-7b-instruct", revision="omega-a")
    ask(provider)
    version = track(provider, "other/omega-2-7b-instruct").current_version
    assert version is not None
    simulator.catalogue.change("openrouter", "other/omega-2-7b-instruct", revision="omega-b")

    ask(provider, days=1)
    assert not recommendation.open_recommendations().exists()  # it counts when it is seen twice
    ask(provider, days=2)

    record = recommendation.open_recommendations().get()
    version.refresh_from_db()
    assert (version.revision, record.to_version.revision) == ("omega-a", "omega-b")
    assert (record.step, record.to_version.label) == ("revision", "1.0.1")
    targets = AliasTarget.objects.filter(alias="other/omega-2-7b-instruct").order_by("since")
    assert [(target.target, target.until) for target in targets] == [
        ("omega-a", NOW + 2 * DAY),
        ("omega-b", None),
    ]


def test_one_provider_that_fails_hides_no_news_of_another(
    provider: Provider, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOBODY_SET_THIS", "")
    ProviderFactory(slug="broken", base_url="http://127.0.0.1:9/v1")

    checks = detection.run_checks(trigger="schedule", now=NOW)

    assert {check.provider.slug: check.state for check in checks} == {
        "broken": "failed",
        "router": "changed",
    }


def test_two_checks_of_one_provider_do_not_overlap(provider: Provider) -> None:
    Check.objects.create(
        provider=provider, trigger="staff", started_at=NOW, lease_until=NOW + leases.LEASE
    )

    with pytest.raises(detection.AlreadyRunning):
        ask(provider)


def test_a_check_that_crashed_is_closed_by_the_next(provider: Provider) -> None:
    crashed = Check.objects.create(
        provider=provider, trigger="staff", started_at=NOW, lease_until=NOW + leases.LEASE
    )

    check = ask(provider, days=1)

    crashed.refresh_from_db()
    assert (crashed.state, crashed.error_kind) == ("failed", "broken")
    assert check.state == "changed"


def test_a_crash_while_recording_leaves_nothing_half_written(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(**kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(recommendation, "tracked_models_of", crash)

    check = ask(provider)

    assert (check.state, check.error_kind) == ("failed", "broken")
    assert not CatalogueEntry.objects.exists()


def test_an_unknown_provider_is_named(db: None) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        detection.run_checks(provider_slugs=["nowhere"], trigger="command", now=NOW)


def test_many_tracked_models_cost_no_more_queries_each(
    provider: Provider, simulator: Simulator
) -> None:
    for number in range(400):
        simulator.catalogue.add("openrouter", f"maker{number}/theta-3-8b-instruct")
    ask(provider)

    def queries_with(more: range) -> int:
        for number in more:
            track(provider, f"maker{number}/theta-3-8b-instruct").save()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask(provider, days=1)
        return len(queries)

    few = queries_with(range(1, 2))
    many = queries_with(range(2, 50))
    assert many == few


def test_a_catalogue_that_stays_the_same_is_believed_every_time(simulator: Simulator) -> None:
    simulator.catalogue.add("openai", "zeta-4", retires=300)
    provider = ProviderFactory(kind="retirements", base_url=simulator.base_url("retirements"))
    states = [
        detection.run_check(
            provider_id=provider.pk, trigger="command", now=NOW + timedelta(days=days)
        ).state
        for days in range(3)
    ]
    assert states == ["changed", "unchanged", "unchanged"]
