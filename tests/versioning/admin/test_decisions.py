"""Decisions in the admin: the page that says what will happen, the act, and who may."""

import datetime as dt
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.versioning.admin.conftest import LogIn, recommend
from tests.versioning.admin.pages import address, current_label, decide, text
from versioning.admin.decisions import CHOICES
from versioning.domain.evidence import Evidence
from versioning.models import ModelVersion, Policy, UpgradeRecord, WakeRule
from versioning.services.upgrades import policies

ALL = ("approve", "reject", "snooze", "roll_back")


def completed(client: Client, record: UpgradeRecord) -> UpgradeRecord:
    decide(client, record, "approve")
    record.refresh_from_db()
    assert record.state == "completed"
    return record


class TestConfirmation:
    def test_it_says_what_approving_does(self, reviewer: Client, record: UpgradeRecord) -> None:
        page = text(reviewer.get(address(record, "approve")))
        assert "zeta-writer-1" in page
        assert "zeta-writer-2" in page
        assert "Quality 0.75 → 0.85, +13 %" in page
        assert f"/api/model-versions/{record.tracked_model.provider.slug}/writer/current" in page

    def test_looking_changes_nothing(self, reviewer: Client, record: UpgradeRecord) -> None:
        for name in ("approve", "reject", "snooze"):
            assert reviewer.get(address(record, name)).status_code == 200
        record.refresh_from_db()
        assert record.state == "recommended"

    def test_it_says_that_the_earlier_version_is_gone(
        self, reviewer: Client, record: UpgradeRecord
    ) -> None:
        completed(reviewer, record)
        ModelVersion.objects.filter(pk=record.from_version_id).update(gone_at=timezone.now())
        page = text(reviewer.get(address(record, "roll_back")))
        assert "zeta-writer-1 is no longer listed by the provider" in page

    def test_it_says_that_the_earlier_version_is_listed(
        self, reviewer: Client, record: UpgradeRecord
    ) -> None:
        completed(reviewer, record)
        ModelVersion.objects.filter(pk=record.from_version_id).update(
            first_seen_at=timezone.now(), last_seen_at=timezone.now()
        )
        assert "1.0.0 is still listed" in text(reviewer.get(address(record, "roll_back")))

    def test_it_warns_of_a_pin(self, reviewer: Client, record: UpgradeRecord) -> None:
        record.tracked_model.pinned = True
        record.tracked_model.pin_reason = "Audit until June."
        record.tracked_model.save()
        assert "Audit until June." in text(reviewer.get(address(record, "approve")))

    def test_what_a_provider_wrote_is_escaped(self, reviewer: Client, db: None) -> None:
        record = recommend(evidence={"sentence": "<script>alert(1)</script>"})
        for page in ("approve", "change"):
            assert "<script>alert(1)" not in text(reviewer.get(address(record, page)))


class TestDeciding:
    def test_approve_moves(self, reviewer: Client, record: UpgradeRecord) -> None:
        page = text(decide(reviewer, record, "approve"))
        assert "writer is at 1.1.0 now" in page
        assert current_label(record) == "1.1.0"

    def test_the_step_keeps_who_and_why(self, reviewer: Client, record: UpgradeRecord) -> None:
        decide(reviewer, record, "approve", reason="Tested with the team.")
        step = record.steps.get(after="approved")
        assert (step.actor_name, step.reason) == ("reviewer", "Tested with the team.")

    def test_reject_keeps_the_reason(self, reviewer: Client, record: UpgradeRecord) -> None:
        decide(reviewer, record, "reject", reason="Too dear.")
        record.refresh_from_db()
        assert record.state == "rejected"
        assert current_label(record) == "1.0.0"
        assert "Too dear." in text(reviewer.get(address(record, "change")))

    @pytest.mark.parametrize("name", ["reject", "roll_back"])
    def test_without_a_reason_the_field_says_so(
        self, reviewer: Client, record: UpgradeRecord, name: str
    ) -> None:
        if name == "roll_back":
            completed(reviewer, record)
        response = decide(reviewer, record, name, reason=" ")
        assert response.context["form"].errors["reason"] == [
            "Say why: the reason stays with the record."
        ]
        before = record.state
        record.refresh_from_db()
        assert record.state == before

    def test_snooze_until_a_day(self, reviewer: Client, record: UpgradeRecord) -> None:
        day = timezone.localdate() + timedelta(days=5)
        decide(reviewer, record, "snooze", until=day.isoformat())
        record.refresh_from_db()
        assert record.state == "snoozed"
        assert record.snoozed_until is not None
        assert timezone.localdate(record.snoozed_until) == day

    @pytest.mark.parametrize("until", ["", "soon", "2020-01-01", "9999-99-99"])
    def test_a_bad_day_is_told_by_the_field(
        self, reviewer: Client, record: UpgradeRecord, until: str
    ) -> None:
        response = decide(reviewer, record, "snooze", until=until)
        assert "until" in response.context["form"].errors
        record.refresh_from_db()
        assert record.state == "recommended"

    def test_roll_back_goes_back(self, reviewer: Client, record: UpgradeRecord) -> None:
        completed(reviewer, record)
        page = text(decide(reviewer, record, "roll_back", reason="Worse tables."))
        assert "writer is at 1.0.0 now" in page
        assert current_label(record) == "1.0.0"
        back = UpgradeRecord.objects.get(reverses=record)
        assert "Worse tables." in text(reviewer.get(address(back, "change")))

    def test_back_to_the_inbox_whence_it_came(
        self, reviewer: Client, record: UpgradeRecord
    ) -> None:
        response = decide(reviewer, record, "approve", next="inbox")
        assert response.redirect_chain[-1][0] == reverse("admin:index")

    def test_a_reason_is_escaped(self, reviewer: Client, record: UpgradeRecord) -> None:
        decide(reviewer, record, "reject", reason="<img src=x onerror=alert(1)>")
        assert "<img src=x" not in text(reviewer.get(address(record, "change")))
        assert "<img src=x" not in text(reviewer.get(reverse("admin:index")))


class TestRaces:
    """The loser of a race reads a sentence, and nothing moves twice."""

    def test_somebody_approved_first(self, log_in: LogIn, record: UpgradeRecord) -> None:
        decide(log_in("operator"), record, "approve")
        response = decide(log_in("reviewer"), record, "approve")
        assert response.status_code == 200
        assert "by operator" in text(response)
        assert record.steps.filter(after="completed").count() == 1

    @pytest.mark.parametrize("name", ["approve", "reject", "snooze"])
    def test_the_evidence_changed_meanwhile(
        self, reviewer: Client, record: UpgradeRecord, name: str
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(evidence_hash="newer")
        until = (timezone.localdate() + timedelta(days=3)).isoformat()
        response = decide(reviewer, record, name, until=until)
        assert "The evidence has changed since you looked" in text(response)
        record.refresh_from_db()
        assert record.state == "recommended"

    def test_rolled_back_twice(self, reviewer: Client, record: UpgradeRecord) -> None:
        completed(reviewer, record)
        decide(reviewer, record, "roll_back")
        response = decide(reviewer, record, "roll_back")
        assert response.status_code == 200
        assert UpgradeRecord.objects.filter(reverses=record).count() == 1

    def test_a_later_move_came_before_the_rollback(
        self, reviewer: Client, record: UpgradeRecord
    ) -> None:
        completed(reviewer, record)
        later = ModelVersion.objects.create(
            tracked_model=record.tracked_model, label="1.2.0", upstream_id="zeta-writer-3"
        )
        second = UpgradeRecord.objects.create(
            tracked_model=record.tracked_model,
            from_version=record.to_version,
            to_version=later,
            origin="detection",
            step="minor",
            recommended_at=timezone.now(),
            changed_at=timezone.now(),
        )
        completed(reviewer, second)
        page = text(decide(reviewer, record, "roll_back"))
        assert "no longer the latest move" in page
        assert current_label(record) == "1.2.0"

    def test_one_that_does_not_exist(self, reviewer: Client, record: UpgradeRecord) -> None:
        for page in (*ALL, "why"):
            address_of_none = address(record, page).replace(f"/{record.pk}/", "/999/")
            response = reviewer.get(address_of_none, follow=True)
            assert "There is no upgrade record 999." in text(response)


class TestPermissions:
    """Each decision has its own permission."""

    @pytest.mark.parametrize("name", ALL)
    def test_a_viewer_decides_nothing(
        self, log_in: LogIn, record: UpgradeRecord, name: str
    ) -> None:
        if name == "roll_back":
            completed(log_in("operator"), record)
        viewer = log_in("viewer")
        assert viewer.get(address(record, name)).status_code == 403
        assert decide(viewer, record, name).status_code == 403
        assert address(record, name) not in text(viewer.get(address(record, "change")))
        assert address(record, name) not in text(viewer.get(reverse("admin:index")))

    def test_one_permission_opens_one_decision(self, log_in: LogIn, record: UpgradeRecord) -> None:
        client = log_in("viewer")
        User.objects.get(username="viewer").user_permissions.add(
            Permission.objects.get(codename="snooze_upgrade")
        )
        assert client.get(address(record, "snooze")).status_code == 200
        assert client.get(address(record, "approve")).status_code == 403

    def test_who_is_not_logged_in_is_asked_to(self, client: Client, record: UpgradeRecord) -> None:
        response = client.get(address(record, "approve"))
        assert response.status_code == 302
        assert "/login/" in response["Location"]


class TestMany:
    """Decisions as actions of the list."""

    def ask(self, client: Client, records: list[UpgradeRecord], name: str, **more: str) -> str:
        sent = {
            "action": f"{name}_selected",
            "_selected_action": [str(record.pk) for record in records],
            **more,
        }
        url = reverse("admin:versioning_upgraderecord_changelist")
        return text(client.post(url, sent, follow=True))

    def test_first_it_shows_all_of_them(self, reviewer: Client, db: None) -> None:
        records = [recommend(name="writer"), recommend(name="reader")]
        page = self.ask(reviewer, records, "approve")
        assert "Approve 2 upgrades" in page
        assert not UpgradeRecord.objects.exclude(step="first").exclude(state="recommended")

    def test_confirmed_they_move_and_the_number_is_told(self, reviewer: Client, db: None) -> None:
        records = [recommend(name="writer"), recommend(name="reader")]
        hashes = {f"evidence-{record.pk}": "seen" for record in records}
        page = self.ask(reviewer, records, "approve", confirmed="approve", reason="", **hashes)
        assert "2 upgrades were approved" in page
        assert [current_label(record) for record in records] == ["1.1.0", "1.1.0"]

    def test_one_that_changed_does_not_stop_the_others(self, reviewer: Client, db: None) -> None:
        records = [recommend(name="writer"), recommend(name="reader")]
        hashes = {f"evidence-{records[0].pk}": "old", f"evidence-{records[1].pk}": "seen"}
        page = self.ask(reviewer, records, "approve", confirmed="approve", reason="", **hashes)
        assert "The evidence has changed" in page
        assert [current_label(record) for record in records] == ["1.0.0", "1.1.0"]

    def test_what_is_over_can_not_be_approved(
        self, reviewer: Client, record: UpgradeRecord
    ) -> None:
        completed(reviewer, record)
        page = self.ask(reviewer, [record], "approve")
        assert "can&#x27;t be approved" in page

    def test_a_viewer_is_offered_none(self, viewer: Client, record: UpgradeRecord) -> None:
        url = reverse("admin:versioning_upgraderecord_changelist")
        assert "approve_selected" not in text(viewer.get(url))
        self.ask(viewer, [record], "approve", confirmed="approve")
        assert current_label(record) == "1.0.0"


UNSURE = {
    "sentence": "Better: quality 0.82 → 0.86",
    "decision": "NOT ENOUGH EVIDENCE",
    "reasons": ["error rate 0.5% → 0.4%: within the limit, not surely"],
    "gates": [
        {"name": "cost", "status": "unknown", "reason": "cost unknown: no price is known"},
        {"name": "errors", "status": "passed", "reason": "error rate within its limit"},
    ],
    "missing": ["tests"],
}


class TestAdvice:
    """The button that stands out is what the evidence advises."""

    def verbs(self, page: str) -> list[str]:
        found = re.findall(r'<a class="hs-button hs-(\w+)"[^>]*>.*?</span>([^<]+)</a>', page)
        return [f"{verb} ({tone})" for tone, verb in found]

    @pytest.mark.parametrize(
        ("says", "first", "approve"),
        [
            ("UPGRADE", "Approve (primary)", "Approve (primary)"),
            ("NOT ENOUGH EVIDENCE", "Wait for evidence (primary)", "Approve anyway (default)"),
            ("STAY", "Reject (primary)", "Approve anyway (default)"),
            ("BLOCKED", "Reject (primary)", "Approve anyway (default)"),
            ("", "Wait for evidence (primary)", "Approve anyway (default)"),
        ],
    )
    def test_the_verdict_drives_the_page(
        self, reviewer: Client, says: str, first: str, approve: str
    ) -> None:
        record = recommend(evidence={"sentence": "So it is.", "decision": says})
        for page in (address(record, "change"), reverse("admin:index")):
            verbs = self.verbs(text(reviewer.get(page)))
            assert verbs[0] == first
            assert approve in verbs

    def test_a_trial_gathers_what_is_missing(self, reviewer: Client) -> None:
        record = recommend(evidence={"sentence": "Unsure.", "decision": "NOT ENOUGH EVIDENCE"})
        Policy.objects.create(
            tracked_model=record.tracked_model, canary_steps=[{"weight": 5, "hours": 1}]
        )
        verbs = self.verbs(text(reviewer.get(address(record, "change"))))
        assert verbs[0] == "Approve the trial (primary)"

    def test_approving_against_it_asks_why(self, reviewer: Client) -> None:
        record = recommend(evidence=UNSURE)
        refused = decide(reviewer, record, "approve", reason="")
        assert "the evidence doesn" in str(refused.context["form"].errors["reason"])
        assert current_label(record) == "1.0.0"
        decide(reviewer, record, "approve", reason="The old one ends on Monday.")
        assert current_label(record) == "1.1.0"

    def test_what_is_not_known_is_said_before_the_button(self, reviewer: Client) -> None:
        page = text(reviewer.get(address(recommend(evidence=UNSURE), "approve")))
        said = page.index("What is not known")
        for each in ("Error rate 0.5%", "Cost unknown", "Nothing is known from tests"):
            assert said < page.index(each, said) < page.index("Approve anyway", said)
        assert page.find("Error rate within its limit") < said


class TestRefused:
    """What was typed is kept, and the page says what changed."""

    @pytest.mark.parametrize("name", ["approve", "reject", "snooze"])
    def test_other_evidence_keeps_the_words(
        self, reviewer: Client, record: UpgradeRecord, name: str
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(
            evidence_hash="newer", evidence={"sentence": "Quality fell.", "decision": "UPGRADE"}
        )
        until = (timezone.localdate() + timedelta(days=3)).isoformat()
        response = decide(reviewer, record, name, reason="Long thought about.", until=until)
        page = text(response)
        assert "The evidence has changed since you looked" in page
        assert "Long thought about." in page
        assert "Quality fell." in page
        assert response.redirect_chain == []
        record.refresh_from_db()
        decide(reviewer, record, name, reason="Long thought about.", until=until)
        record.refresh_from_db()
        assert record.state != "recommended"

    @pytest.mark.parametrize("name", sorted(CHOICES))
    @pytest.mark.parametrize("state", ["approved", "rejected", "superseded", "failed", "aborted"])
    def test_a_record_that_was_moved_meanwhile_keeps_the_words(
        self, reviewer: Client, record: UpgradeRecord, name: str, state: str
    ) -> None:
        UpgradeRecord.objects.filter(pk=record.pk).update(state=state)
        until = (timezone.localdate() + timedelta(days=3)).isoformat()
        response = decide(reviewer, record, name, reason="Long thought about.", until=until)
        page = text(response)
        assert response.redirect_chain == []
        assert page.count("What you wrote is kept.") == 1
        assert ("Long thought about." in page) == ("reason" in response.context["form"].fields)
        record.refresh_from_db()
        assert (record.state, record.steps.count()) == (state, 0)

    @pytest.mark.parametrize("name", ["approve", "reject", "snooze"])
    @pytest.mark.parametrize("samples_say", ["UPGRADE", "NOT ENOUGH EVIDENCE"])
    def test_what_the_decision_itself_found_out_is_shown(
        self, reviewer: Client, name: str, samples_say: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """To decide is to look again: what is read next is what that found, not what was before."""
        before = {"UPGRADE": "STAY", "NOT ENOUGH EVIDENCE": "UPGRADE"}[samples_say]
        record = recommend(
            evidence={"sentence": "As read.", "decision": before, "verdict": "", "method": "old"},
            evidence_hash="read",
        )
        if samples_say == "UPGRADE":
            found = Evidence(verdict="better", decision="UPGRADE", sentence="Found better.")
            monkeypatch.setattr(policies, "compared", lambda **_: found)
        until = (timezone.localdate() + timedelta(days=3)).isoformat()
        page = text(decide(reviewer, record, name, until=until))
        assert "The evidence has changed since you looked" in page
        assert "As read." not in page
        assert ("Found better." if samples_say == "UPGRADE" else "Not enough data") in page
        if name == "approve":
            assert ("Approve anyway" in page) == (samples_say != "UPGRADE")
            assert ("speak for it: say why" in page) == (samples_say != "UPGRADE")
        shown = re.search(rf'name="evidence-{record.pk}" value="(\w+)"', page)
        assert shown is not None
        sent = {f"evidence-{record.pk}": shown[1], "until": until}
        decide(reviewer, record, name, **sent)
        record.refresh_from_db()
        assert record.state != "recommended"


class TestWakeRule:
    """A rejection says when the version may be offered again."""

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ({"wake": "until", "wake_until": "2027-03-01"}, ("until", dt.date(2027, 3, 1))),
            ({"wake": "price", "wake_percent": "20"}, ("price", Decimal("0.2"))),
            ({"wake": "retirement", "wake_days": "30"}, ("retirement", 30)),
            ({"wake": "next_snapshot"}, ("next_snapshot", None)),
        ],
    )
    def test_it_is_kept(
        self, reviewer: Client, record: UpgradeRecord, sent: dict[str, str], kept: tuple[str, Any]
    ) -> None:
        decide(reviewer, record, "reject", **sent)
        rule = WakeRule.objects.get(record=record)
        values = [each for each in (rule.until, rule.price_falls_by, rule.days) if each is not None]
        assert (rule.kind, values[0] if values else None) == kept

    def test_never_is_what_nothing_means(self, reviewer: Client, record: UpgradeRecord) -> None:
        decide(reviewer, record, "reject")
        record.refresh_from_db()
        assert record.state == "rejected"
        assert not WakeRule.objects.exists()

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"wake": "until"}, "wake_until"),
            ({"wake": "price", "wake_percent": "0"}, "wake_percent"),
            ({"wake": "retirement", "wake_percent": "20"}, "wake_percent"),
            ({"wake": "sometime"}, "wake"),
        ],
    )
    def test_what_is_wrong_is_told_by_its_field(
        self, reviewer: Client, record: UpgradeRecord, sent: dict[str, str], field: str
    ) -> None:
        answer = decide(reviewer, record, "reject", reason="Too dear.", **sent)
        assert field in answer.context["form"].errors
        assert "Too dear." in text(answer)
        record.refresh_from_db()
        assert record.state == "recommended"


class TestAfterAll:
    """What was decided against is known still, and there is a way to it."""

    def model_page(self, record: UpgradeRecord) -> str:
        return reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id])

    def move(self, record: UpgradeRecord) -> str:
        args = [record.tracked_model_id, record.to_version_id]
        return reverse("admin:versioning_trackedmodel_move", args=args)

    @pytest.mark.parametrize("end", ["reject", "roll_back"])
    def test_the_model_s_page_names_it_and_leads_there(
        self, reviewer: Client, record: UpgradeRecord, end: str
    ) -> None:
        if end == "roll_back":
            completed(reviewer, record)
        decide(reviewer, record, end, reason="Worse tables.")
        page = text(reviewer.get(self.model_page(record)))
        assert "no newer version is known" not in page
        assert "Worse tables." in page
        assert self.move(record) in page
        assert self.move(record) in text(reviewer.get(address(record, "change")))

    def test_it_moves_with_a_reason(self, reviewer: Client, record: UpgradeRecord) -> None:
        decide(reviewer, record, "reject", reason="Worse tables.")
        shown = text(reviewer.get(self.move(record)))
        assert "Worse tables." in shown
        assert reviewer.post(self.move(record), {"reason": ""}).context["form"].errors["reason"]
        assert current_label(record) == "1.0.0"
        page = reviewer.post(self.move(record), {"reason": "They were mended."}, follow=True)
        assert "writer is at 1.1.0 now" in text(page)
        assert "They were mended." in text(page)

    def test_where_nothing_was_decided_nothing_is_known(self, reviewer: Client, db: None) -> None:
        record = recommend()
        UpgradeRecord.objects.filter(pk=record.pk).delete()
        assert "no newer version is known" in text(reviewer.get(self.model_page(record)))

    def test_a_viewer_may_not(self, viewer: Client, record: UpgradeRecord) -> None:
        assert viewer.get(self.move(record)).status_code == 403
        assert viewer.post(self.move(record), {"reason": "Mine."}).status_code == 403
