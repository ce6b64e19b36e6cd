"""Every page opens for whom it is meant, says what it should, and asks few questions."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from sample_world.simulator import Simulator
from tests.factories import NOW, ModelVersionFactory, ProviderFactory, tracked
from tests.versioning.admin.conftest import LogIn, recommend
from tests.versioning.admin.pages import address, text
from versioning.models import (
    ApiKey,
    AutomationSwitch,
    CalendarFeed,
    CatalogueEntry,
    Check,
    EvaluationSuite,
    Event,
    Finding,
    Freeze,
    LineageRule,
    ModelVersion,
    Notice,
    PerformanceSample,
    Policy,
    Recipient,
    TrackedModel,
    UnknownModel,
    UpgradeRecord,
    Webhook,
)
from versioning.services import keys, versions
from versioning.services.actors import Actor
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn

Counter = Callable[[str], int]


@pytest.fixture
def queries(boss: Client) -> Counter:
    """Return how many queries a page asks."""

    def count(url: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert boss.get(url).status_code == 200
        return len(asked)

    return count


def make_rows(number: int) -> None:
    """Make so many rows of everything that the lists show."""
    for n in range(number):
        record = recommend(name=f"m{number}-{n}", urgent_on=dt.date(2026, 12, 1))
        model, version = record.tracked_model, record.to_version
        check = Check.objects.create(
            provider=model.provider, trigger="staff", state="failed", started_at=NOW,
            finished_at=NOW, error="It gave no answer.", error_kind="unavailable", lease_until=NOW,
        )  # fmt: skip
        Finding.objects.create(
            check_run=check, kind="new_version", upstream_id="x", tracked_model=model,
            version=version, sentence="A new one.", found_at=NOW,
        )  # fmt: skip
        CatalogueEntry.objects.create(
            provider=model.provider, upstream_id=f"listed-{n}", first_seen_at=NOW, last_seen_at=NOW
        )
        LineageRule.objects.create(tracked_model=model, kind="ignore", pattern="*-audio")
        Policy.objects.create(tracked_model=model, minimum_improvement="0.1")
        Freeze.objects.create(
            name="Trade", provider=model.provider, starts_at=NOW, ends_at=NOW + dt.timedelta(1)
        )
        Notice.objects.create(kind="worse", record=record, sentence="Worse.", raised_at=NOW)
        Notice.objects.create(kind="fault", subject=f"s{number}-{n}", sentence=".", raised_at=NOW)
        UnknownModel.objects.create(
            provider_slug="x", name=f"un-{number}-{n}", first_seen_at=NOW, last_seen_at=NOW
        )
        keys.create_api_key(
            name=f"key {number} {n}", scopes=["read"], now=NOW, actor=Actor.command()
        )
        for_one = {"name": f"t{number}-{n}", "provider": model.provider}
        Recipient.objects.create(**for_one, email="ada@example.com")
        CalendarFeed.objects.create(**for_one, hashed=f"{number}-{n}")
        Webhook.objects.create(**for_one, url="https://example.com/", secret="x", enabled=False)
        Event.objects.create(
            kind="provider.recovered", version=1, at=NOW, provider=model.provider,
            actor_kind="scheduler", actor_name="scheduler", payload={},
        )  # fmt: skip
        sample = SampleIn(
            provider=model.provider.slug, model=model.name, time=NOW, task="chat", quality=0.5
        )
        ingestion.accept([sample], api_key_id=None, now=NOW)


LISTS = sorted(
    f"{model._meta.app_label}_{model._meta.model_name}_changelist" for model in admin.site._registry
)


class TestLists:
    @pytest.mark.parametrize("name", LISTS)
    def test_the_boss_sees_each_and_may_search_it(self, boss: Client, name: str) -> None:
        assert boss.get(reverse(f"admin:{name}")).status_code == 200
        assert boss.get(reverse(f"admin:{name}"), {"q": "100%"}).status_code in (200, 302)

    def test_the_number_of_queries_does_not_grow_with_the_rows(self, queries: Counter) -> None:
        pages = [reverse(f"admin:{name}") for name in LISTS] + [reverse("admin:index")]
        make_rows(2)
        before = {page: queries(page) for page in pages}
        make_rows(6)
        after = {page: queries(page) for page in pages}
        assert {page: n for page, n in after.items() if n > before[page]} == {}
        assert max(after.values()) <= 35

    def test_a_page_asks_no_more_for_more_rows_of_what_it_shows(self, queries: Counter) -> None:
        make_rows(1)
        model, check = TrackedModel.objects.get(), Check.objects.get()
        most = {
            reverse("admin:versioning_trackedmodel_change", args=[model.pk]): 24,
            reverse("admin:versioning_check_change", args=[check.pk]): 10,
        }
        before = {page: queries(page) for page in most}
        for n in range(7):
            version = ModelVersionFactory(tracked_model=model, label=f"2.{n}.0")
            Finding.objects.create(
                check_run=check, kind="new_version", upstream_id="x", tracked_model=model,
                version=version, sentence="A new one.", found_at=NOW,
            )  # fmt: skip
        after = {page: queries(page) for page in most}
        assert {page: n for page, n in after.items() if n > before[page]} == {}
        assert {page: n for page, n in before.items() if n > most[page]} == {}

    @pytest.mark.parametrize(
        ("name", "filters"),
        [
            ("versioning_upgraderecord", "state=recommended"),
            ("versioning_modelversion", "standing=current"),
            ("versioning_modelversion", "standing=retiring"),
            ("versioning_modelversion", "standing=gone"),
            ("versioning_modelversion", "standing=held"),
            ("versioning_performancesample", "failed=no"),
            ("versioning_check", "state=failed"),
            ("versioning_trackedmodel", "pinned__exact=1"),
        ],
    )
    def test_filters(self, boss: Client, name: str, filters: str) -> None:
        make_rows(1)
        assert boss.get(reverse(f"admin:{name}_changelist") + f"?{filters}").status_code == 200


class TestInbox:
    def test_urgent_ones_come_first(self, reviewer: Client) -> None:
        recommend(name="calm")
        recommend(name="burning", urgent_on=timezone.localdate() + dt.timedelta(days=9))
        page = text(reviewer.get(reverse("admin:index")))
        assert page.index("Move burning") < page.index("Move calm")
        assert "2 decisions wait · 1 urgent" in page
        assert "retires in 9 days" in page

    def test_nothing_to_decide(self, operator: Client) -> None:
        tracked()
        assert "Nothing to decide" in text(operator.get(reverse("admin:index")))

    def test_a_failed_check_says_what_to_do(self, operator: Client) -> None:
        make_rows(1)
        page = text(operator.get(reverse("admin:index")))
        assert "It gave no answer." in page
        assert "See whether the server is up" in page

    def test_somebody_without_a_group_is_told_whom_to_ask(self, log_in: LogIn) -> None:
        recommend(name="secret")
        page = text(log_in("").get(reverse("admin:index")))
        assert "viewer, reviewer or operator" in page
        assert "secret" not in page


class TestUpgradeRecord:
    def test_reasons_and_runners_up(self, viewer: Client, record: UpgradeRecord) -> None:
        page = text(viewer.get(address(record, "change")))
        assert "Same line, newer generation: 2 after 1." in page
        assert "What else was considered (1)" in page

    def test_why_this_one(self, viewer: Client, record: UpgradeRecord) -> None:
        LineageRule.objects.create(
            tracked_model=record.tracked_model, kind="forbid", pattern="zeta-9", made_by="ada"
        )
        page = text(viewer.get(address(record, "why")))
        assert "zeta-writer-2-mini" in page
        assert "Another size: mini." in page
        assert "set by ada" in page

    def test_history_can_not_be_changed(self, boss: Client, record: UpgradeRecord) -> None:
        for page in ("change", "delete"):
            assert boss.post(address(record, page), {"state": "completed"}).status_code == 403
        assert boss.get(reverse("admin:versioning_upgraderecord_add")).status_code == 403


class TestTrackedModel:
    def test_what_current_answers(self, viewer: Client, record: UpgradeRecord) -> None:
        model = record.tracked_model
        page = text(viewer.get(reverse("admin:versioning_trackedmodel_change", args=[model.pk])))
        assert f"GET /api/model-versions/{model.provider.slug}/writer/current" in page
        assert "Move writer 1.0.0 → 1.1.0?" in page

    def test_track_one_from_the_list(self, operator: Client) -> None:
        provider = ProviderFactory(slug="zeta")
        CatalogueEntry.objects.create(
            provider=provider, upstream_id="z/writer-2", first_seen_at=NOW, last_seen_at=NOW
        )
        listed = reverse("admin:versioning_trackedmodel_listed")
        found = text(operator.get(listed, {"provider": provider.pk, "upstream_id": "WRITER"}))
        assert "z/writer-2" in found
        sent = {"provider": provider.pk, "upstream_id": "z/writer-2"}
        operator.post(reverse("admin:versioning_trackedmodel_add"), sent)
        assert TrackedModel.objects.get().name == "writer-2"

    def test_bad_names_are_told_by_the_field(self, operator: Client) -> None:
        model = tracked(name="writer")
        sent = {"provider": model.provider_id, "upstream_id": "", "name": "", "owner": "nobody"}
        form = operator.post(reverse("admin:versioning_trackedmodel_add"), sent).context["form"]
        assert set(form.errors) == {"upstream_id", "owner"}

    def test_tracked_already(self, operator: Client) -> None:
        model = tracked(name="writer")
        sent = {"provider": model.provider_id, "upstream_id": "writer", "name": "writer"}
        page = operator.post(reverse("admin:versioning_trackedmodel_add"), sent)
        assert page.context["form"].errors
        assert TrackedModel.objects.count() == 1

    def test_a_pin_needs_a_reason(self, operator: Client) -> None:
        model = tracked()
        pin = reverse("admin:versioning_trackedmodel_pin", args=[model.pk])
        assert operator.post(pin, {"reason": ""}).context["form"].errors["reason"]
        operator.post(pin, {"reason": "Audit."})
        model.refresh_from_db()
        assert (model.pinned, model.pin_reason) == (True, "Audit.")
        operator.post(pin)
        model.refresh_from_db()
        assert not model.pinned

    def test_a_reviewer_tracks_and_pins_nothing(self, reviewer: Client) -> None:
        model = tracked()
        pin = reverse("admin:versioning_trackedmodel_pin", args=[model.pk])
        assert reviewer.post(pin, {"reason": "Mine."}).status_code == 403
        assert reviewer.get(reverse("admin:versioning_trackedmodel_add")).status_code == 403


class TestUnknownModels:
    def test_one_click_tracks(self, operator: Client) -> None:
        provider = ProviderFactory(slug="zeta")
        unknown = UnknownModel.objects.create(
            provider_slug="zeta", name="writer-7", samples=3, first_seen_at=NOW, last_seen_at=NOW
        )
        track = reverse("admin:versioning_unknownmodel_track", args=[unknown.pk])
        assert track in text(operator.get(reverse("admin:versioning_unknownmodel_changelist")))
        assert track in text(operator.get(reverse("admin:index")))
        operator.post(track)
        assert TrackedModel.objects.named(provider=provider.slug, name="writer-7").exists()

    def test_without_its_provider_the_form_asks(self, operator: Client) -> None:
        unknown = UnknownModel.objects.create(
            provider_slug="", name="a&b", first_seen_at=NOW, last_seen_at=NOW
        )
        track = reverse("admin:versioning_unknownmodel_track", args=[unknown.pk])
        page = text(operator.post(track, follow=True))
        assert 'value="a&amp;b"' in page

    def test_a_viewer_may_not(self, viewer: Client) -> None:
        unknown = UnknownModel.objects.create(name="x", first_seen_at=NOW, last_seen_at=NOW)
        track = reverse("admin:versioning_unknownmodel_track", args=[unknown.pk])
        assert viewer.post(track).status_code == 403


class TestVersion:
    def page(self, version: ModelVersion) -> str:
        return reverse("admin:versioning_modelversion_change", args=[version.pk])

    def sent(self, version: ModelVersion, **changes: object) -> dict[str, object]:
        names = ("label", "migration_notes", "retires_source", "replacement", "replacement_source")
        return {name: getattr(version, name) for name in names} | changes

    def test_what_staff_say_is_held(self, reviewer: Client, record: UpgradeRecord) -> None:
        version = record.to_version
        sent = self.sent(version, context_tokens="64000", added_improvements="Polite.\n\nFast.")
        assert reviewer.post(self.page(version), sent).status_code == 302
        version.refresh_from_db()
        assert version.context_tokens == 64000
        assert version.added_improvements == ["Polite.", "Fast."]
        assert "context_tokens" in version.staff_fields

    def test_a_held_fact_is_released(self, reviewer: Client, record: UpgradeRecord) -> None:
        version = record.to_version
        version.context_tokens = 64000
        versions.save_changed(version=version, changed=["context_tokens"], actor=Actor.command())
        release = reverse("admin:versioning_modelversion_release", args=[version.pk])
        reviewer.post(release, {"field": "context_tokens"})
        version.refresh_from_db()
        assert version.staff_fields == []

    def test_bad_facts_are_told_by_the_field(self, reviewer: Client, record: UpgradeRecord) -> None:
        sent = self.sent(record.to_version, input_price="-1", retires_on="never", label="")
        form = reviewer.post(self.page(record.to_version), sent).context["adminform"].form
        assert {"input_price", "retires_on", "label"} <= set(form.errors)

    def test_a_viewer_changes_nothing(self, viewer: Client, record: UpgradeRecord) -> None:
        version = record.to_version
        assert viewer.get(self.page(version)).status_code == 200
        assert viewer.post(self.page(version), self.sent(version, label="9")).status_code == 403

    def test_a_price_reads_as_money(self, viewer: Client, db: None) -> None:
        version = ModelVersionFactory(tracked_model=tracked(), input_price="0.1", output_price=30)
        page = text(viewer.get(self.page(version)))
        assert "$0.10 per million tokens" in page
        assert "$30.00 per million tokens" in page


class TestSamplesAndChecks:
    def test_samples_are_read_only(self, boss: Client) -> None:
        make_rows(1)
        sample = PerformanceSample.objects.get()
        page = reverse("admin:versioning_performancesample_change", args=[sample.pk])
        assert boss.get(page).status_code == 200
        assert boss.post(page, {"quality": "1"}).status_code == 403
        assert boss.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403

    def test_a_check_shows_its_error_and_findings(self, viewer: Client) -> None:
        make_rows(1)
        check = Check.objects.get()
        page = text(viewer.get(reverse("admin:versioning_check_change", args=[check.pk])))
        assert "It gave no answer." in page
        assert "A new one." in page

    def test_check_now(self, operator: Client, simulator: Simulator) -> None:
        ProviderFactory(slug="zeta", kind="openai", base_url=simulator.base_url("openai"))
        now = reverse("admin:versioning_check_now")
        page = operator.post(now, {"provider": "zeta"}, follow=True)
        assert "zeta is being asked: its answer shows here by itself" in text(page)
        assert Check.objects.get().asked_by == "operator"

    @pytest.mark.parametrize("group", ["viewer", "reviewer"])
    def test_only_operators_check(self, log_in: LogIn, group: str) -> None:
        assert log_in(group).post(reverse("admin:versioning_check_now")).status_code == 403


class TestKeys:
    def test_the_secret_is_shown_once(self, operator: Client) -> None:
        add = reverse("admin:versioning_apikey_add")
        response = operator.post(add, {"name": "shop", "scopes": ["read"]})
        secret = response.context["made"].secret
        assert secret in text(response)
        assert "no-store" in response["Cache-Control"]
        key = ApiKey.objects.get()
        for page in ("changelist", "change"):
            args = [key.pk] if page == "change" else []
            url = reverse(f"admin:versioning_apikey_{page}", args=args)
            assert secret not in text(operator.get(url))

    def test_a_page_that_is_reloaded_makes_no_second_key(self, operator: Client) -> None:
        add = reverse("admin:versioning_apikey_add")
        for _ in range(2):
            response = operator.post(add, {"name": "shop", "scopes": ["read"]})
        assert ApiKey.objects.count() == 1
        assert "made just now" in str(response.context["form"].errors["name"])

    def test_without_a_scope(self, operator: Client) -> None:
        add = reverse("admin:versioning_apikey_add")
        response = operator.post(add, {"name": "shop"})
        assert response.context["form"].errors["scopes"] == ["Choose at least one."]

    def test_revoke(self, operator: Client) -> None:
        key = keys.create_api_key(
            name="shop", scopes=["read"], now=NOW, actor=Actor.command()
        ).api_key
        listed = reverse("admin:versioning_apikey_changelist")
        operator.post(listed, {"action": "revoke_selected", "_selected_action": [key.pk]})
        key.refresh_from_db()
        assert key.revoked_at is not None

    def test_a_reviewer_sees_none(self, reviewer: Client) -> None:
        assert reviewer.get(reverse("admin:versioning_apikey_changelist")).status_code == 403


class TestRules:
    def test_a_rule_is_signed_and_takes_effect(
        self, operator: Client, record: UpgradeRecord
    ) -> None:
        sent = {
            "tracked_model": record.tracked_model_id,
            "kind": "forbid",
            "pattern": "zeta-writer-2",
            "reason": "Too chatty.",
        }
        response = operator.post(reverse("admin:versioning_lineagerule_add"), sent)
        assert response.status_code == 302
        assert LineageRule.objects.get().made_by == "operator"

    def test_a_second_successor_is_refused(self, operator: Client, record: UpgradeRecord) -> None:
        LineageRule.objects.create(
            tracked_model=record.tracked_model, kind="successor", pattern="zeta-9"
        )
        sent = {
            "tracked_model": record.tracked_model_id,
            "kind": "successor",
            "pattern": "zeta-10",
        }
        page = operator.post(reverse("admin:versioning_lineagerule_add"), sent)
        assert "A successor is set already" in text(page)


class TestAutomation:
    url = "/admin/versioning/automationswitch/"

    def test_off_needs_a_reason(self, operator: Client) -> None:
        response = operator.post(self.url, {"on": "no", "reason": ""})
        assert response.context["form"].errors["reason"]
        assert not AutomationSwitch.objects.exists()

    def test_off_and_on(self, operator: Client) -> None:
        assert "Automation is on" in text(operator.get(self.url))
        page = operator.post(self.url, {"on": "no", "reason": "Outage."}, follow=True)
        assert "Nothing moves by itself from now on." in text(page)
        assert AutomationSwitch.objects.get().changed_by == "operator"
        operator.post(self.url, {"on": "yes", "reason": ""})
        assert AutomationSwitch.objects.get().on

    def test_a_reviewer_only_looks(self, reviewer: Client) -> None:
        assert reviewer.get(self.url).status_code == 200
        assert reviewer.post(self.url, {"on": "no", "reason": "x"}).status_code == 403

    def test_a_freeze_keeps_who_made_it(self, operator: Client) -> None:
        sent = {
            "name": "Trade",
            "starts_at_0": "2026-12-01", "starts_at_1": "00:00",
            "ends_at_0": "2026-12-27", "ends_at_1": "00:00",
        }  # fmt: skip
        assert operator.post(reverse("admin:versioning_freeze_add"), sent).status_code == 302
        assert Freeze.objects.get().made_by == "operator"

    def test_a_freeze_ends_after_its_start(self, operator: Client) -> None:
        sent = {
            "name": "Trade",
            "starts_at_0": "2026-12-27", "starts_at_1": "00:00",
            "ends_at_0": "2026-12-01", "ends_at_1": "00:00",
        }  # fmt: skip
        page = text(operator.post(reverse("admin:versioning_freeze_add"), sent))
        assert "A freeze ends after its start." in page

    def test_a_policy_says_what_it_cannot_read(self, operator: Client) -> None:
        sent = {"automation": "never", "steps_allowed": '["everything"]', "canary_steps": "{"}
        form = operator.post(reverse("admin:versioning_policy_add"), sent).context["adminform"].form
        assert {"steps_allowed", "canary_steps"} <= set(form.errors)

    def test_a_policy_asks_for_a_suite_that_exists(self, operator: Client) -> None:
        sent = {"automation": "never", "required_suites": '["no such"]'}
        form = operator.post(reverse("admin:versioning_policy_add"), sent).context["adminform"].form
        assert "no such" in str(form.errors["required_suites"])


class TestPolicyForm:
    """Lists are ticked, not written."""

    add = reverse_lazy("admin:versioning_policy_add")

    @pytest.mark.parametrize(
        ("ticked", "kept"),
        [
            ([], None),
            (["__none__"], []),
            (["sums"], ["sums"]),
        ],
    )
    def test_what_is_ticked_is_kept_and_shown_again(
        self, operator: Client, ticked: list[str], kept: list[str] | None
    ) -> None:
        EvaluationSuite.objects.create(name="sums", scorers=["number"], max_tokens=20)
        sent = {"required_suites": ticked, "steps_allowed": ["minor", "revision"]}
        assert operator.post(self.add, sent).status_code == 302
        policy = Policy.objects.get()
        assert policy.required_suites == kept
        assert set(policy.steps_allowed) == {"minor", "revision"}
        page = reverse("admin:versioning_policy_change", args=[policy.pk])
        field = operator.get(page).context["adminform"].form["required_suites"]
        assert (field.value() or []) == (ticked or [])
        assert operator.post(page, {"required_suites": ticked}).status_code == 302
        policy.refresh_from_db()
        assert (policy.required_suites, policy.steps_allowed) == (kept, None)

    def test_both_some_and_none_is_refused(self, operator: Client) -> None:
        sent = {"steps_allowed": ["minor", "__none__"]}
        form = operator.post(self.add, sent).context["adminform"].form
        assert "not both" in str(form.errors["steps_allowed"])

    def test_a_suite_that_is_gone_does_not_fall_out_silently(self, operator: Client) -> None:
        policy = Policy.objects.create(required_suites=["gone"])
        page = reverse("admin:versioning_policy_change", args=[policy.pk])
        assert "gone (not there)" in text(operator.get(page))
        answer = operator.post(page, {"required_suites": ["gone"]})
        assert "There is no suite" in str(answer.context["adminform"].form.errors)
        policy.refresh_from_db()
        assert policy.required_suites == ["gone"]


class TestPlainPages:
    """Where there is nothing, or too little permission, a page says so and leads on."""

    @pytest.mark.parametrize("path", ["/nothing/", "/admin/nothing/", "/admin/versioning/nothing/"])
    def test_no_such_page(self, boss: Client, path: str) -> None:
        answer = boss.get(path, follow=True)
        assert answer.status_code == 404
        assert "There is no such page" in text(answer)
        assert 'href="/admin/"' in text(answer)

    def test_not_allowed(self, viewer: Client, record: UpgradeRecord) -> None:
        answer = viewer.get(address(record, "approve"))
        assert answer.status_code == 403
        assert "You are signed in as <strong>viewer</strong>, in the group viewer" in text(answer)

    def test_a_form_that_is_too_old(self, record: UpgradeRecord, boss: Client) -> None:
        boss.handler.enforce_csrf_checks = True
        answer = boss.post(address(record, "approve"), {"confirmed": "approve"})
        assert answer.status_code == 403
        assert "The form was not taken" in text(answer)


class TestSchedules:
    def test_a_step_of_minutes_reads_as_one(self, operator: Client) -> None:
        every = IntervalSchedule.objects.create(every=5, period="minutes")
        PeriodicTask.objects.create(name="Go on", task="versioning.advance", interval=every)
        page = text(operator.get(reverse("admin:django_celery_beat_periodictask_changelist")))
        assert "every 5 minutes" in page
        assert "freq" not in page

    def test_the_page_opens(self, operator: Client) -> None:
        assert operator.get(reverse("admin:django_celery_beat_periodictask_add")).status_code == 200


class TestOffline:
    @pytest.mark.parametrize("page", ["index", "versioning_upgraderecord_changelist", "login"])
    def test_a_page_needs_nothing_from_elsewhere(
        self, boss: Client, record: UpgradeRecord, page: str
    ) -> None:
        client = Client() if page == "login" else boss
        found = text(client.get(reverse(f"admin:{page}")))
        loaded = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]+)\"", found)
        assert loaded
        assert [url for url in loaded if not url.startswith(("/", "data:"))] == []


def test_a_version_says_where_it_stands_and_what_is_doubted(boss: Client) -> None:
    """Deprecated without a date is shown as that; both sides of a doubt, and the direct answer."""
    version = tracked(name="ode").current_version
    ModelVersion.objects.filter(pk=version.pk).update(
        first_seen_at=NOW,
        lifecycle="deprecated",
        lifecycle_source="https://models.dev",
        lifecycle_on=dt.date(2026, 2, 3),
        doubts=["a says that it retires on 2026-05-01, b on 2026-06-01: the earlier is kept."],
        answers="refused",
        answers_why="No access to this model.",
        answers_at=NOW,
    )
    page = text(boss.get(reverse("admin:versioning_modelversion_change", args=[version.pk])))
    for said in (
        'deprecated, says <a href="https://models.dev"',
        "first said on 3 Feb 2026",
        "no date is known",
        "b on 2026-06-01",
        "No access to this model.",
    ):
        assert said in page
    model = reverse("admin:versioning_trackedmodel_change", args=[version.tracked_model_id])
    assert "deprecated" in text(boss.get(model))


def test_moments_have_one_form_and_a_zone(boss: Client, record: UpgradeRecord) -> None:
    make_rows(1)
    pages = [reverse(f"admin:{name}") for name in LISTS] + [address(record, "change")]
    said = " ".join(text(boss.get(page)) for page in pages)
    assert re.findall(r"\b[ap]\.m\.", said) == []
    moments = re.findall(r"\b\d{1,2} [A-Z][a-z]{2} 20\d\d \d\d:\d\d.{4}", said)
    assert moments
    assert {moment[-3:] for moment in moments} == {"UTC"}


def test_who_says_that_a_version_retires_is_a_link(viewer: Client, record: UpgradeRecord) -> None:
    source = "https://example.com/deprecations"
    ModelVersion.objects.filter(pk=record.from_version_id).update(
        retires_on=timezone.localdate() + dt.timedelta(days=20), retires_source=source
    )
    record.refresh_from_db()
    for page in (
        reverse("admin:index"),
        address(record, "change"),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]),
        reverse("admin:versioning_modelversion_change", args=[record.from_version_id]),
    ):
        assert f'<a href="{source}"' in text(viewer.get(page)), page


def test_histories_of_rows_with_one_name_have_titles_of_their_own(boss: Client, db: None) -> None:
    webhook = Webhook.objects.create(name="ops", url="https://example.com", secret="x")  # noqa: S106
    recipient = Recipient.objects.create(name="ops", email="ops@example.com")
    titles = [
        re.search(
            "<title>(.*?)</title>",
            boss.get(reverse(f"admin:versioning_{name}_history", args=[row.pk])).content.decode(),
            re.DOTALL,
        )[1].strip()  # type: ignore[index]
        for name, row in (("webhook", webhook), ("recipient", recipient))
    ]
    assert titles == ["History of webhook ops | Hotswap", "History of recipient ops | Hotswap"]
