"""Listed is not callable, and what a maker calls old is no successor."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from providers.models import Provider
from providers.registry import adapter_classes
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import NOW, ProviderFactory
from versioning.domain.policy import EffectivePolicy
from versioning.models import Check, DirectQuestion, Finding, TrackedModel
from versioning.services import nudges, tracking, witness
from versioning.services.actors import Actor
from versioning.services.checks import detection, target_probes
from versioning.services.upgrades import briefing, recommendation, way_back

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SERVING = [adapter.kind for adapter in adapter_classes() if not adapter.is_enrichment]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", KEY)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASIMULATED")


def provider_of(simulator: Simulator, kind: str) -> Provider:
    return ProviderFactory(kind=kind, base_url=simulator.base_url(kind), api_key_env="A_KEY")


def ask(provider: Provider, *, days: int = 0) -> Check:
    return detection.run_check(provider_id=provider.pk, trigger="command", now=NOW + days * DAY)


def track(provider: Provider, upstream_id: str) -> TrackedModel:
    return tracking.start_tracking(
        provider_id=provider.pk,
        name=upstream_id,
        upstream_id=upstream_id,
        actor=Actor.command(),
        now=NOW,
    )


def offered() -> list[str]:
    return [record.to_version.upstream_id for record in recommendation.open_recommendations()]


class TestTheTargetIsAskedFor:
    @pytest.fixture
    def provider(self, simulator: Simulator) -> Provider:
        for name in ("zeta-1-20250101", "other-1"):
            simulator.catalogue.add("openai", name)
        provider = provider_of(simulator, "openai")
        ask(provider)
        track(provider, "zeta-1-20250101")
        return provider

    def test_one_that_answers_is_recommended_and_it_says_so(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.catalogue.add("openai", "zeta-1-20250301")
        ask(provider, days=1)
        version = recommendation.open_recommendations().get().to_version
        assert (version.answers, version.answers_at) == ("callable", NOW + DAY)
        asked = DirectQuestion.objects.filter(upstream_id="zeta-1-20250301")
        assert {row.is_call: row.outcome for row in asked} == {False: "callable", True: "callable"}

    def test_it_is_asked_for_once(self, provider: Provider, simulator: Simulator) -> None:
        simulator.catalogue.add("openai", "zeta-1-20250301")
        for day in (1, 2, 3):
            ask(provider, days=day)
        assert DirectQuestion.objects.calls().count() == 1

    def test_one_that_is_refused_is_no_recommendation_and_the_next_best_is(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.catalogue.add("openai", "zeta-1-20250301")
        why = "Your organization does not have access to this model."
        simulator.catalogue.add("openai", "zeta-1-20250401", refuses=why)

        ask(provider, days=1)

        assert offered() == ["zeta-1-20250301"]
        finding = Finding.objects.get(kind="refused")
        assert finding.upstream_id == "zeta-1-20250401"
        assert why in finding.sentence
        again = ask(provider, days=2)
        assert [each.sentence for each in again.findings.all()] == []  # told once

    def test_what_is_refused_no_more_is_offered(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.catalogue.add("openai", "zeta-1-20250401", refuses="No access to this model.")
        ask(provider, days=1)
        assert offered() == []
        simulator.catalogue.change("openai", "zeta-1-20250401", refuses="")
        ask(provider, days=2)
        assert offered() == ["zeta-1-20250401"]

    def test_what_can_not_be_told_stays_recommended(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.catalogue.add("openai", "zeta-1-20250401")
        simulator.fail("openai", "http_500", scope="chat")
        ask(provider, days=1)
        assert offered() == ["zeta-1-20250401"]

    def test_one_that_a_rule_recommends_is_asked_for_right_after_it(
        self,
        provider: Provider,
        simulator: Simulator,
        django_capture_on_commit_callbacks: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Nobody may ask within the transaction that changes the rule: a worker does at once."""
        for name in ("zeta-1-20250301", "zeta-1-20250501"):
            simulator.catalogue.add("openai", name)
        why = "No access to this model."
        simulator.catalogue.add("openai", "zeta-1-20250401", refuses=why)
        ask(provider, days=1)
        assert offered() == ["zeta-1-20250501"]
        DirectQuestion.objects.all().delete()
        sent: list[str] = []
        monkeypatch.setitem(nudges._senders, nudges.Nudge.ASK, lambda: sent.append("ask"))

        with django_capture_on_commit_callbacks(execute=True):
            tracking.add_rule(
                tracked_model_id=TrackedModel.objects.get().pk,
                kind="forbid",
                pattern="zeta-1-20250501",
                actor=Actor.command(),
                now=NOW + DAY,
            )

        assert sent == ["ask"]
        record = recommendation.open_recommendations().get()
        assert record.to_version.upstream_id == "zeta-1-20250401"
        (brief,) = briefing.of_approvals(records=[record], now=NOW + DAY)
        assert any("nobody has asked for it" in warning for warning in brief.warnings)
        assert target_probes.probe_waiting(now=NOW + DAY) == 2
        assert offered() == ["zeta-1-20250301"]
        record = recommendation.open_recommendations().get()
        assert record.to_version.answers == "callable"
        (brief,) = briefing.of_approvals(records=[record], now=NOW + DAY)
        assert not any("nobody has asked for it" in warning for warning in brief.warnings)
        assert target_probes.probe_waiting(now=NOW + 2 * DAY) == 0

    def test_what_tracking_recommends_says_everywhere_that_nobody_has_asked_for_it_yet(
        self,
        provider: Provider,
        simulator: Simulator,
        admin_client: Client,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        for name in ("eta-1-20250101", "eta-1-20250301"):
            simulator.catalogue.add("openai", name)
        ask(provider, days=1)
        track(provider, "eta-1-20250101")
        record = recommendation.open_recommendations().get()
        sheet = reverse("admin:versioning_upgraderecord_change", args=[record.pk])

        def said() -> list[bool]:
            call_command("recommendations")
            return [
                "not asked for yet" in admin_client.get(reverse("admin:index")).content.decode(),
                "nobody has asked for it directly" in admin_client.get(sheet).content.decode(),
                "Not asked for directly yet" in capsys.readouterr().out,
            ]

        assert said() == [True, True, True]
        target_probes.probe_waiting(now=NOW + DAY)
        assert said() == [False, False, False]

    def test_nobody_is_asked_for_what_waits_where_that_is_switched_off(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.catalogue.add("openai", "zeta-1-20250301")
        provider.options = {"witness": "off"}
        provider.save()
        ask(provider, days=1)
        assert target_probes.probe_waiting(now=NOW + DAY) == 0
        (brief,) = briefing.of_approvals(
            records=list(recommendation.open_recommendations()), now=NOW + DAY
        )
        assert not any("asked" in warning for warning in brief.warnings)

    @pytest.mark.parametrize(
        ("mode", "calls", "questions"), [("off", 0, 0), ("look", 0, 1), ("call", 1, 2)]
    )
    def test_it_can_be_switched_off_for_a_provider(
        self, provider: Provider, simulator: Simulator, mode: str, calls: int, questions: int
    ) -> None:
        provider.options = {"witness": mode}
        provider.save()
        simulator.catalogue.add("openai", "zeta-1-20250401")
        ask(provider, days=1)
        assert DirectQuestion.objects.count() == questions
        assert DirectQuestion.objects.calls().count() == calls

    def test_a_day_has_so_many_calls_and_no_more(
        self, provider: Provider, settings: LazySettings
    ) -> None:
        settings.HOTSWAP = {**settings.HOTSWAP, "WITNESS_CALLS_A_DAY": 3}
        ids = [f"none-{number}" for number in range(5)]
        witness.probe_all(provider=provider, upstream_ids=ids, now=NOW)
        assert DirectQuestion.objects.calls().count() == 0  # a look refused them all, and is free

    def test_the_cap_counts_calls(
        self, provider: Provider, simulator: Simulator, settings: LazySettings
    ) -> None:
        settings.HOTSWAP = {**settings.HOTSWAP, "WITNESS_CALLS_A_DAY": 3}
        ids = [f"many-{number}" for number in range(5)]
        for id in ids:
            simulator.catalogue.add("openai", id)
        for _ in range(2):
            witness.probe_all(provider=provider, upstream_ids=ids, now=NOW)
        chats = [seen for seen in simulator.requests("openai") if seen.method == "POST"]
        assert (len(chats), DirectQuestion.objects.calls().count()) == (3, 3)
        witness.probe_all(provider=provider, upstream_ids=ids, now=NOW + DAY)
        assert DirectQuestion.objects.calls().count() == 6


@pytest.mark.parametrize("kind", SERVING)
def test_every_kind_has_a_second_witness(simulator: Simulator, kind: str) -> None:
    """Where its look or its call can't tell, it says so; it never takes one for the other."""
    for name in ("acme.zeta-1", "acme.zeta-2"):
        simulator.catalogue.add(kind, name)
    provider = provider_of(simulator, kind)
    there = witness.probe(provider=provider, upstream_id="acme.zeta-1", now=NOW)
    gone = witness.probe(provider=provider, upstream_id="acme.iota-1", now=NOW)
    assert (there.outcome, gone.outcome) == ("callable", "refused"), (there, gone)
    simulator.fail(kind, "http_503")
    busy = witness.probe(provider=provider, upstream_id="acme.zeta-2", now=NOW)
    assert (busy.outcome, bool(busy.sentence)) == ("unknown", True)


class TestWhatLeftTheList:
    @pytest.fixture
    def provider(self, simulator: Simulator) -> Provider:
        for name in ("zeta-1", "other-1", "other-2"):
            simulator.catalogue.add("openai", name)
        provider = provider_of(simulator, "openai")
        ask(provider)
        return provider

    def test_one_that_answers_is_not_gone(self, provider: Provider, simulator: Simulator) -> None:
        version = track(provider, "zeta-1").current_version
        assert version is not None
        simulator.catalogue.change("openai", "zeta-1", is_hidden=True)

        for day in (1, 2, 3, 4):
            ask(provider, days=day)

        version.refresh_from_db()
        assert (version.is_gone, version.answers) == (False, "callable")
        assert Finding.objects.get(kind="alive").sentence.startswith("zeta-1 is listed no more")
        simulator.catalogue.remove("openai", "zeta-1")
        ask(provider, days=5)
        version.refresh_from_db()
        assert (version.is_gone, version.answers) == (True, "refused")

    def test_the_way_back_asks_it_too(self, provider: Provider, simulator: Simulator) -> None:
        version = track(provider, "zeta-1").current_version
        assert version is not None
        simulator.catalogue.change("openai", "zeta-1", is_hidden=True)
        alive = way_back.verify(version=version, fallback=None, policy=EffectivePolicy(), now=NOW)
        simulator.catalogue.change(
            "openai", "zeta-1", is_hidden=False, refuses="This model is no longer available."
        )
        refused = way_back.verify(
            version=version, fallback=None, policy=EffectivePolicy(), now=NOW + DAY
        )
        assert (alive.outcome, refused.outcome) == ("open", "closed")
        assert "no longer available" in refused.sentence


class TestBedrock:
    @pytest.fixture
    def provider(self, simulator: Simulator) -> Provider:
        need = {"access": ("INFERENCE_PROFILE",), "profiles": ("us", "global")}
        simulator.catalogue.add("bedrock", "acme.ode-4-20250514-v1:0", **need)
        simulator.catalogue.add("bedrock", "acme.hymn-lite-v1:0")
        simulator.catalogue.add("bedrock", "acme.hymn-lite-v1:0:300k", access=("PROVISIONED",))
        return provider_of(simulator, "bedrock")

    def newer(self, simulator: Simulator, **more: object) -> None:
        need = {"access": ("INFERENCE_PROFILE",), "profiles": ("us", "global")}
        simulator.catalogue.add("bedrock", "acme.ode-4-5-20250929-v1:0", **{**need, **more})

    def test_profiles_are_listed_page_by_page(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.page_size = 1
        ask(provider)
        ids = set(provider.catalogue.values_list("upstream_id", flat=True))
        assert {"us.acme.ode-4-20250514-v1:0", "global.acme.ode-4-20250514-v1:0"} <= ids

    @pytest.mark.parametrize("region", ["us", "global"])
    def test_a_profile_s_upgrade_stays_in_its_region(
        self, provider: Provider, simulator: Simulator, region: str
    ) -> None:
        ask(provider)
        track(provider, f"{region}.acme.ode-4-20250514-v1:0")
        self.newer(simulator)
        ask(provider, days=1)
        assert offered() == [f"{region}.acme.ode-4-5-20250929-v1:0"]

    def test_an_id_that_needs_a_profile_is_not_offered(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        ask(provider)
        tracked = track(provider, "acme.ode-4-20250514-v1:0")
        self.newer(simulator)
        ask(provider, days=1)
        assert offered() == []
        answer = recommendation.explain(tracked_model_id=tracked.pk)
        assert "inference profile" in str(answer.runners_up)

    def test_bought_capacity_is_no_upgrade_of_what_is_called_on_demand(
        self, provider: Provider
    ) -> None:
        ask(provider)
        track(provider, "acme.hymn-lite-v1:0")
        ask(provider, days=1)
        assert offered() == []

    def test_a_profile_is_where_its_model_is(
        self, provider: Provider, simulator: Simulator
    ) -> None:
        simulator.catalogue.change("bedrock", "acme.ode-4-20250514-v1:0", lifecycle="LEGACY")
        ask(provider)
        version = track(provider, "us.acme.ode-4-20250514-v1:0").current_version
        assert version is not None
        assert version.lifecycle == "legacy"

    def test_without_permission_for_profiles_it_says_which_and_none_is_missing(
        self, provider: Provider, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from providers.kinds.bedrock.voice import BedrockVoice
        from sample_world.simulator.speech import Refusal

        ask(provider)
        version = track(provider, "us.acme.ode-4-20250514-v1:0").current_version
        assert version is not None

        def refuse(*_: object) -> None:
            raise Refusal(403, "User is not authorized to perform this action.")

        monkeypatch.setattr(BedrockVoice, "_profiles", refuse)
        for day in (1, 2, 3, 4):
            check = ask(provider, days=day)
            assert (check.state, check.missing) == ("partly", 0)
        assert "bedrock:ListInferenceProfiles" in check.dropped_items[0]
        version.refresh_from_db()
        assert not version.is_gone


class TestLifecycleWords:
    @pytest.mark.parametrize(
        ("kind", "word", "kept"),
        [
            ("azure", "deprecated", "deprecated"),
            ("azure", "preview", "preview"),
            ("azure", "legacy", "legacy"),
            ("bedrock", "LEGACY", "legacy"),
        ],
    )
    def test_what_its_maker_calls_so_is_no_successor(
        self, simulator: Simulator, kind: str, word: str, kept: str
    ) -> None:
        simulator.catalogue.add(kind, "acme.ode-4")
        provider = provider_of(simulator, kind)
        ask(provider)
        tracked = track(provider, "acme.ode-4")
        simulator.catalogue.add(kind, "acme.ode-5", lifecycle=word)
        ask(provider, days=1)
        assert offered() == []
        assert kept in str(recommendation.explain(tracked_model_id=tracked.pk).runners_up)

    def test_a_catalogue_s_word_counts_where_the_provider_has_none(
        self, simulator: Simulator
    ) -> None:
        for name in ("ode-4", "ode-4.1"):
            simulator.catalogue.add("openai", name)
        simulator.catalogue.change("openai", "ode-4.1", lifecycle="deprecated")
        catalogue = ProviderFactory(kind="modelsdev", base_url=simulator.base_url("modelsdev"))
        ask(catalogue)
        provider = provider_of(simulator, "openai")
        ask(provider)
        track(provider, "ode-4")
        old = track(provider, "ode-4.1").current_version
        assert old is not None
        ask(provider, days=1)
        assert offered() == []
        assert (old.lifecycle, old.lifecycle_source) == ("deprecated", "https://models.dev")
        assert (old.retires_on, old.is_leaving) == (None, True)

    def test_the_provider_s_own_word_comes_first(self, simulator: Simulator) -> None:
        simulator.catalogue.add("azure", "ode-4", lifecycle="generally-available", deprecated=3)
        simulator.catalogue.change("azure", "ode-4", lifecycle="")
        ask(ProviderFactory(kind="modelsdev", base_url=simulator.base_url("modelsdev")))
        simulator.catalogue.change("azure", "ode-4", lifecycle="generally-available")
        provider = provider_of(simulator, "azure")
        ask(provider)
        version = track(provider, "ode-4").current_version
        assert version is not None
        assert (version.lifecycle, version.lifecycle_source) == ("active", "")

    @pytest.mark.parametrize("word", ["legacy", "deprecated", "preview"])
    def test_a_word_of_one_night_takes_no_recommendation_back(
        self, simulator: Simulator, word: str
    ) -> None:
        for name in ("zeta-1-20250101", "zeta-1-20250201", "other-1"):
            simulator.catalogue.add("azure", name)
        provider = provider_of(simulator, "azure")
        ask(provider)
        track(provider, "zeta-1-20250101")
        simulator.catalogue.add("azure", "zeta-1-20250301")
        ask(provider, days=1)
        record = recommendation.open_recommendations().get()

        simulator.catalogue.change("azure", "zeta-1-20250301", lifecycle=word)
        ask(provider, days=2)
        assert recommendation.open_recommendations().get() == record
        assert record.to_version.upgrades_to.count() == 1
        simulator.catalogue.change("azure", "zeta-1-20250301", lifecycle="generally-available")
        for day in (3, 4, 5, 6):
            ask(provider, days=day)
        assert recommendation.open_recommendations().get() == record

        simulator.catalogue.change("azure", "zeta-1-20250301", lifecycle=word)
        for day in (7, 8):
            ask(provider, days=day)
            assert recommendation.open_recommendations().get() == record
        for day in (9, 10):
            ask(provider, days=day)
        assert offered() == ["zeta-1-20250201"]

    def test_what_a_rule_says_counts_at_once_whatever_a_list_says_tonight(
        self, simulator: Simulator
    ) -> None:
        for name in ("zeta-1-20250101", "zeta-1-20250301", "other-1"):
            simulator.catalogue.add("azure", name)
        provider = provider_of(simulator, "azure")
        ask(provider)
        tracked = track(provider, "zeta-1-20250101")
        ask(provider, days=1)
        simulator.catalogue.change("azure", "zeta-1-20250301", lifecycle="legacy")
        ask(provider, days=2)
        assert offered() == ["zeta-1-20250301"]
        tracking.add_rule(
            tracked_model_id=tracked.pk,
            kind="forbid",
            pattern="zeta-1-20250301",
            actor=Actor.command(),
            now=NOW + 2 * DAY,
        )
        assert offered() == []

    def test_a_word_that_changes_is_news_with_its_day(self, simulator: Simulator) -> None:
        for name in ("ode-4", "hymn-1"):
            simulator.catalogue.add("azure", name)
        provider = provider_of(simulator, "azure")
        ask(provider)
        version = track(provider, "ode-4").current_version
        assert version is not None
        simulator.catalogue.change("azure", "ode-4", lifecycle="deprecated")
        ask(provider, days=1)
        version.refresh_from_db()
        assert version.lifecycle_on == (NOW + DAY).date()
        assert "no date is known" in Finding.objects.get(kind="lifecycle").sentence


class TestReleasesThatAreNone:
    @pytest.mark.parametrize("kind", ["openai", "anthropic", "openrouter", "azure", "huggingface"])
    def test_the_time_of_asking_is_no_release(self, simulator: Simulator, kind: str) -> None:
        simulator.catalogue.add(kind, "acme/ode-1", created="now")
        simulator.catalogue.add(kind, "acme/hymn-1", released=-7)
        provider = provider_of(simulator, kind)
        ask(provider)
        facts = {entry.upstream_id: entry.facts for entry in provider.catalogue.all()}
        assert "released" not in facts["acme/ode-1"]
        assert "released" in facts["acme/hymn-1"]

    @pytest.mark.parametrize("kind", ["openai", "anthropic", "openrouter", "azure", "huggingface"])
    def test_one_moment_for_all_rows_is_no_release(self, simulator: Simulator, kind: str) -> None:
        for name in ("acme/ode-1", "acme/hymn-1"):
            simulator.catalogue.add(kind, name, created="2025-04-05T06:07:08+00:00")
        provider = provider_of(simulator, kind)
        ask(provider)
        assert not any("released" in entry.facts for entry in provider.catalogue.all())

    def test_one_moment_that_several_rows_share_is_a_placeholder(
        self, simulator: Simulator
    ) -> None:
        for number in range(3):
            simulator.catalogue.add(
                "huggingface", f"acme/old-{number}", created="2023-03-02T20:20:20+00:00"
            )
        simulator.catalogue.add("huggingface", "acme/new", released=-7)
        provider = provider_of(simulator, "huggingface")
        ask(provider)
        told = [e.upstream_id for e in provider.catalogue.all() if "released" in e.facts]
        assert told == ["acme/new"]

    def test_a_day_that_moves_is_no_release(self, simulator: Simulator) -> None:
        simulator.catalogue.add("openai", "ode-1", created="2025-04-05T06:07:08+00:00")
        simulator.catalogue.add("openai", "hymn-1", released=-7)
        provider = provider_of(simulator, "openai")
        ask(provider)
        version = track(provider, "ode-1").current_version
        assert version is not None
        assert version.released_on is not None
        for day in (1, 2):
            simulator.catalogue.change("openai", "ode-1", created=f"2025-04-1{day}T06:07:08+00:00")
            ask(provider, days=day)
            version.refresh_from_db()
            assert version.released_on is None
