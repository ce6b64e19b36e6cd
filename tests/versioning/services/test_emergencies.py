"""An emergency: at once, with a reason, over by itself, told, sealed, and reviewed by another."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories import NOW, ApiKeyFactory, ModelVersionFactory, UserFactory
from tests.factories import tracked as make_tracked
from tests.versioning.api.conftest import Api
from versioning.domain.transitions import State
from versioning.models import (
    ApiKey,
    Emergency,
    EmergencyStep,
    Event,
    ModelVersion,
    Policy,
    Seal,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import seals
from versioning.services.actors import Actor
from versioning.services.errors import Invalid, NotAllowed
from versioning.services.upgrades import decisions, emergencies, policies
from versioning.services.upgrades.emergencies import StillOpen

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
REASON = "It answers nonsense."


@pytest.fixture
def tracked() -> TrackedModel:
    """A model whose policy asks for two approvals and a canary."""
    found = make_tracked(name="zeta", provider__slug="acme")
    Policy.objects.create(
        tracked_model=found,
        approvals_needed=2,
        canary_steps=[{"weight": 5, "hours": 168}, {"weight": 50, "hours": 168}],
    )
    return found


@pytest.fixture
def newer(tracked: TrackedModel) -> ModelVersion:
    version: ModelVersion = ModelVersionFactory(tracked_model=tracked, label="1.1.0")
    return version


def person(name: str) -> Actor:
    found = User.objects.filter(username=name).first()
    return Actor.of_user(found or UserFactory(username=name))


def go(tracked: TrackedModel, version: ModelVersion, **more: Any) -> UpgradeRecord:
    wanted = {"actor": more.get("actor") or person("ada"), "reason": REASON, "now": NOW} | more
    return emergencies.move(tracked=tracked, to_version=str(version.pk), **wanted)


def at(tracked: TrackedModel) -> str:
    return str(TrackedModel.objects.get(pk=tracked.pk).current_version)


def test_it_moves_at_once_past_approvals_and_canary(
    tracked: TrackedModel, newer: ModelVersion
) -> None:
    record = go(tracked, newer)

    assert (record.state, at(tracked)) == (State.COMPLETED, str(newer))
    assert [step.reason for step in record.steps.order_by("pk")][-1].startswith("Emergency: ")
    kinds = Event.objects.order_by("pk").values_list("kind", flat=True)
    assert [kind for kind in kinds if kind.startswith("emergency")] == ["emergency.declared"]
    assert "model.moved" in kinds


@pytest.mark.parametrize("state", [State.APPROVED, State.TESTING, State.CANARY])
@pytest.mark.parametrize("is_same", [True, False])
def test_what_is_under_way_is_completed_or_stopped(
    tracked: TrackedModel, newer: ModelVersion, state: State, is_same: bool
) -> None:
    first = decisions.request_upgrade(
        tracked=tracked, to_version=str(newer.pk), actor=person("eve"), now=NOW
    )
    UpgradeRecord.objects.filter(pk=first.pk).update(state=state.value)
    target = newer if is_same else ModelVersionFactory(tracked_model=tracked, label="2.0.0")

    record = go(tracked, target)

    assert (record.pk == first.pk, at(tracked)) == (is_same, str(target))
    assert not UpgradeRecord.objects.under_way().exists()


def test_a_request_for_changes_does_not_hold_it(tracked: TrackedModel, newer: ModelVersion) -> None:
    from versioning.services.upgrades import discussion

    first = decisions.request_upgrade(
        tracked=tracked, to_version=str(newer.pk), actor=person("eve"), now=NOW
    )
    discussion.comment(
        record_id=first.pk, text="No.", asks_for_changes=True, actor=person("bob"), now=NOW
    )
    assert go(tracked, newer).pk == first.pk


def test_without_a_reason_nothing_moves(tracked: TrackedModel, newer: ModelVersion) -> None:
    for wrong in ({"reason": " "}, {"reason": "x" * 481}, {"minutes": 0}, {"minutes": 1441}):
        with pytest.raises(Invalid):
            go(tracked, newer, **wrong)
    assert not Emergency.objects.exists()
    assert at(tracked) != str(newer)


def test_further_moves_belong_to_it_until_it_ends_by_itself(
    tracked: TrackedModel, newer: ModelVersion
) -> None:
    ada, before = person("ada"), tracked.current_version
    assert before is not None
    go(tracked, newer, actor=ada, minutes=60)
    go(tracked, before, actor=ada, now=NOW + HOUR / 2, minutes=1440)
    first = Emergency.objects.get()
    assert first.ends_at == NOW + HOUR

    assert emergencies.end_due(now=NOW + HOUR / 2) == 0
    assert emergencies.end_due(now=NOW + HOUR) == 1
    assert emergencies.end_due(now=NOW + 2 * HOUR) == 0

    ended = Event.objects.get(kind="emergency.ended")
    assert ended.payload["moves"] == 2
    go(tracked, newer, actor=ada, now=NOW + 2 * HOUR)
    assert Emergency.objects.count() == 2


def test_one_that_is_over_and_that_no_sweep_has_ended_takes_no_further_move(
    tracked: TrackedModel, newer: ModelVersion
) -> None:
    ada, before = person("ada"), tracked.current_version
    assert before is not None
    go(tracked, newer, actor=ada, minutes=1)
    go(tracked, before, actor=ada, now=NOW + HOUR)
    assert Emergency.objects.open().count() == 1
    assert Emergency.objects.count() == 2


def test_meanwhile_the_policy_moves_nothing(tracked: TrackedModel, newer: ModelVersion) -> None:
    before = tracked.current_version
    assert before is not None
    go(tracked, newer)
    tracked.refresh_from_db()
    record = decisions.requested(
        tracked=tracked, version=before, actor=Actor.command(), now=NOW, reason=""
    )
    resolved = policies.resolve(tracked=tracked)

    def rules(now: Any) -> set[str]:
        found = policies.may_go_on(record=record, resolved=resolved, now=now)
        return {str(reason.sentence) for reason in found.reasons if "emergency" in reason.sentence}

    assert rules(NOW + HOUR / 2)
    assert not rules(NOW + 2 * HOUR)


class TestReview:
    def test_by_somebody_else_after_the_end_once(
        self, tracked: TrackedModel, newer: ModelVersion
    ) -> None:
        ada, bob = person("ada"), person("bob")
        go(tracked, newer, actor=ada)
        id, later = Emergency.objects.get().pk, NOW + 2 * HOUR

        def look(actor: Actor, now: Any = later, note: str = "It was one.") -> Emergency:
            return emergencies.review(emergency_id=id, note=note, actor=actor, now=now)

        with pytest.raises(StillOpen):
            look(bob, NOW)
        with pytest.raises(NotAllowed, match="somebody else"):
            look(ada)
        with pytest.raises(NotAllowed, match="A person"):
            look(Actor.command())
        with pytest.raises(Invalid):
            look(bob, note="")
        assert look(bob).reviewed_at == later
        with pytest.raises(Exception, match="already"):
            look(bob)
        kinds = list(EmergencyStep.objects.order_by("pk").values_list("kind", flat=True))
        assert kinds == ["declared", "moved", "ended", "reviewed"]

    def test_nor_by_whoever_made_the_key_that_moved(
        self, tracked: TrackedModel, newer: ModelVersion
    ) -> None:
        ada = UserFactory(username="ada")
        key = ApiKeyFactory(scopes=[ApiKey.Scope.EMERGENCY], maker=ada)
        go(tracked, newer, actor=Actor.of_api_key(ApiKey.objects.get(pk=key.pk)))
        with pytest.raises(NotAllowed):
            emergencies.review(
                emergency_id=Emergency.objects.get().pk,
                note="Fine.",
                actor=Actor.of_user(ada),
                now=NOW + 2 * HOUR,
            )


def test_each_step_is_sealed(tracked: TrackedModel, newer: ModelVersion) -> None:
    go(tracked, newer)
    table = EmergencyStep._meta.db_table
    assert Seal.objects.filter(table=table).count() == 2
    EmergencyStep.objects.filter(kind="moved").update(text="It was all right.")
    assert table in seals.verify().fault


class TestTheDoors:
    def test_a_key_needs_the_scope(self, tracked: TrackedModel, newer: ModelVersion) -> None:
        address = "/api/model-versions/acme/zeta/emergency"
        body = {"to_version": "1.1.0", "reason": REASON, "minutes": 30}
        others = [each for each in ApiKey.Scope.values if each != ApiKey.Scope.EMERGENCY]

        refused = Api(ApiKeyFactory(scopes=others).secret).post(address, body)
        moved = Api(ApiKeyFactory(scopes=["emergency"]).secret).post(address, body)

        assert (refused.status_code, moved.status_code) == (403, 200)
        assert moved.json()["state"] == "completed"

    def test_staff_need_the_permission_and_the_start_page_asks_another_for_the_review(
        self, tracked: TrackedModel, newer: ModelVersion
    ) -> None:
        page = reverse("admin:versioning_trackedmodel_emergency", args=[tracked.pk])
        body = {"to_version": newer.pk, "reason": REASON, "minutes": 5}
        assert staff("operator").post(page, body).status_code == 403

        mover = staff("reviewer", "emergency")
        assert mover.get(page).status_code == 200
        assert mover.post(page, body | {"reason": ""}).status_code == 200
        assert at(tracked) != str(newer)
        assert mover.post(page, body).status_code == 302
        assert at(tracked) == str(newer)

        emergency = Emergency.objects.get()
        Emergency.objects.update(
            declared_at=emergency.declared_at - HOUR, ends_at=emergency.ends_at - HOUR
        )
        review = reverse("admin:versioning_emergency_review", args=[emergency.pk])
        assert REASON in mover.get("/admin/").content.decode()
        assert review not in mover.get("/admin/").content.decode()
        assert staff("viewer").get(review).status_code == 403
        other = staff("reviewer")
        assert review in other.get("/admin/").content.decode()
        assert other.get(review).status_code == 200
        assert other.post(review, {"note": "It was one."}).status_code == 302
        emergency.refresh_from_db()
        assert emergency.reviewed_at is not None


def staff(*groups: str) -> Client:
    from django.contrib.auth.models import Group

    user: User = UserFactory(is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user)
    return client
