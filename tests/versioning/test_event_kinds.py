"""Every kind of event is written by what really happens, documented, and as its schema says."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from providers.models import Provider
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import (
    NOW,
    ApiKeyFactory,
    ModelVersionFactory,
    ProviderFactory,
    UpgradeRecordFactory,
    tracked,
)
from tests.totp import code_of
from tests.versioning.admin.pages import decide
from tests.versioning.api.conftest import Api
from tests.versioning.services.evaluation.test_runs import make_suite
from tests.versioning.services.test_course import BAD, GOOD, STEPS, general, measured
from tests.versioning.services.test_drift import days
from versioning import tasks
from versioning.domain.event_schemas import KINDS, schema_of
from versioning.domain.events import EventKind
from versioning.models import (
    Emergency,
    EvaluationRun,
    Event,
    ModelVersion,
    TrackedModel,
    UpgradeRecord,
)
from versioning.services import messages
from versioning.services.upgrades import recommendation

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
RECORDS = "/api/model-versions/upgrade-recommendations"
PROMPT, ANSWER = "What ails the secret patient {n} + 4?", "the secret patient"
UNSAID = "nothing ever says this"


@dataclass
class World:
    """A provider that is simulated, a program with a key for all, and staff."""

    api: Api
    staff: Client
    simulator: Simulator
    provider: Provider

    def record(self, **fields: Any) -> UpgradeRecord:
        model = tracked(provider=self.provider, owner="ada@example.com")
        record: UpgradeRecord = UpgradeRecordFactory(tracked_model=model, **fields)
        return record

    def post(self, address: str, body: Any = None) -> Any:
        answer = self.api.post(address, body)
        assert answer.status_code < 300, answer.content
        return answer.json()

    def on(self, record: UpgradeRecord, what: str, **body: Any) -> Any:
        return self.post(f"{RECORDS}/{record.pk}/{what}", body)


@pytest.fixture
def world(simulator: Simulator, monkeypatch: pytest.MonkeyPatch, db: None) -> World:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    for model_id, quality in (("zeta-1", 0.3), ("zeta-2", 1.0)):
        simulator.world.add("openai", model_id, quality={"*": quality})
    provider = ProviderFactory(
        slug="acme", base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
    )
    staff = Client()
    staff.force_login(User.objects.create_superuser("root", "root@example.com", "pw"))
    return World(Api(ApiKeyFactory().secret), staff, simulator, provider)


@contextmanager
def at(moment: dt.datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=False):
        yield


def a_canary_that_goes_well(world: World) -> None:
    general(canary_steps=STEPS, watch_days=1)
    record = world.record()
    with at(NOW):
        world.on(record, "approve")
        tasks.carry_on()
    measured(record, GOOD, share=0.2)
    for hours in (30, 60, 120, 180):
        with at(NOW + hours * HOUR):
            tasks.carry_on()
    with at(NOW + 200 * HOUR):
        model = record.tracked_model
        world.post(
            f"/api/model-versions/{model.provider.slug}/{model.name}/rollback", {"reason": "Worse."}
        )


def a_canary_that_stands_still(world: World) -> None:
    general(canary_steps=STEPS)
    record = world.record()
    with at(NOW):
        world.on(record, "approve")
        tasks.carry_on()
    with at(NOW + 14 * DAY):
        tasks.carry_on()
        world.on(record, "canary/resume")
        world.on(record, "canary/abort", reason="No.")


def approvals_that_fall(world: World) -> None:
    general(approvals_needed=2)
    record = world.record()
    measured(record, GOOD)
    recommendation.refresh_evidence(record_id=record.pk, now=NOW + DAY)
    record.refresh_from_db()
    with at(NOW + DAY):
        decide(world.staff, record, "approve")
    measured(record, BAD, at=NOW + 20 * DAY)
    with at(NOW + 21 * DAY):
        tasks.look_again()


def a_discussion(world: World) -> None:
    record = world.record()
    first = world.on(record, "comments", text="Why?", asks_for_changes=False)
    assert first["id"]
    ends: dict[str, dict[str, str]] = {"withdraw": {}, "override": {"reason": "Done."}}
    for end, body in ends.items():
        asked = world.on(record, "comments", text="Wait.", asks_for_changes=True)
        world.on(record, f"comments/{asked['id']}/{end}", **body)


def a_snooze(world: World) -> None:
    record = world.record()
    with at(NOW):
        world.on(record, "snooze", until=(NOW + DAY).isoformat())
    with at(NOW + 2 * DAY):
        tasks.wake_snoozed()


def listings(world: World) -> None:
    """A model with a successor, and a later one, that is retired by its provider."""
    catalogue = world.simulator.catalogue
    router = ProviderFactory(
        slug="router", kind="openrouter", base_url=world.simulator.base_url("openrouter")
    )
    for day, upstream_id in enumerate(("20250101", "20250301", "20250401")):
        catalogue.add("openrouter", f"zed/zeta-4-mini-{upstream_id}")
        with at(NOW + day * DAY):
            tasks.check_provider(provider_slug=router.slug, trigger="command")
            if not day:
                first = {"provider": "router", "name": "zeta", "upstream_id": _first(upstream_id)}
                world.post("/api/tracked-models", first)


def _first(upstream_id: str) -> str:
    return f"zed/zeta-4-mini-{upstream_id}"


def a_retirement(world: World) -> None:
    model = tracked(provider=world.provider, owner="ada@example.com")
    day = (NOW + 5 * DAY).date().isoformat()
    with at(NOW):
        changed = world.api.patch(f"/api/versions/{model.current_version_id}", {"retires_on": day})
        assert changed.status_code == 200, changed.content
        for _ in range(2):
            tasks.remind()


def a_provider_that_is_away(world: World) -> None:
    server = ProviderFactory(slug="gpu", kind="ollama", base_url="http://127.0.0.1:9")
    world.simulator.world.add("ollama", "zeta:7b")
    for hours in (0, 12, 25, 48, 72):
        if hours == 72:
            Provider.objects.filter(pk=server.pk).update(
                base_url=world.simulator.base_url("ollama")
            )
        with at(NOW + hours * HOUR):
            tasks.check_provider(provider_slug="gpu", trigger="command")


def a_key_that_is_refused(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMULATED_KEY", f"{UNSAID} sk-1234")
        for _ in range(2):
            tasks.check_provider(provider_slug="acme", trigger="command")


def samples(world: World) -> None:
    model = tracked(provider=world.provider, upstream_id="zeta-1")
    items = [
        {"provider": "acme", "model": model.name, "served_id": "ghost-a", "quality": 0.5},
        *({"provider": "acme", "model": f"new-{n}", "quality": 0.5} for n in range(30)),
    ]
    for _ in range(2):
        world.post("/api/performance-samples", items)
        tasks.fold_samples()


def drifting(world: World) -> None:
    days(tracked(name="writer", provider=world.provider), drop=0.15)
    with at(NOW):
        tasks.find_drift()
        tasks.find_drift()


def tests_that_fail(world: World) -> None:
    """The suite is of the one in use, so the other does worse."""
    general(required_suites=["sums"])
    make_suite(prompt=PROMPT)
    model = tracked(provider=world.provider, upstream_id="zeta-2")
    worse = ModelVersionFactory(tracked_model=model, upstream_id="zeta-1")
    ModelVersion.objects.update(input_price=1, output_price=3)
    record = UpgradeRecordFactory(tracked_model=model, to_version=worse)
    with at(NOW):
        world.on(record, "approve")
        tasks.run_evaluations()
    with at(NOW + HOUR):
        tasks.carry_on()


def a_budget_that_is_reached(world: World) -> None:
    suite = make_suite(prompt=PROMPT)
    model = tracked(provider=world.provider, upstream_id="zeta-1")
    newer = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2")
    ModelVersion.objects.update(input_price=1, output_price=3)
    body = {"suite": suite.name, "to_version": newer.pk, "budget_tokens": 100_000}
    world.post("/api/evaluation-runs", body)
    EvaluationRun.objects.update(budget_tokens=200)  # the estimate was far too low
    tasks.run_evaluations()


def the_switch(world: World) -> None:
    for on, reason in ((False, "An outage."), (False, "Still."), (True, "")):
        world.post("/api/automation", {"on": on, "reason": reason})


def an_emergency(world: World) -> None:
    model = tracked(provider=world.provider)
    newer = ModelVersionFactory(tracked_model=model, upstream_id="zeta-2")
    body = {"to_version": newer.label, "reason": "It answers nonsense.", "minutes": 30}
    with at(NOW):
        world.post(f"/api/model-versions/acme/{model.name}/emergency", body)
    with at(NOW + HOUR):
        tasks.carry_on()
        review = reverse("admin:versioning_emergency_review", args=[Emergency.objects.get().pk])
        assert world.staff.post(review, {"note": "It was one."}).status_code == 302


def a_digest(world: World) -> None:
    world.record()
    with at(NOW):
        world.post("/api/recipients", {"name": "ops", "email": "ops@example.com"})
    for hours in (24, 25, 26):
        with at(NOW + hours * HOUR):
            tasks.remind()


def a_phone_that_is_lost(world: World) -> None:
    """Its person switches it on with a code, and loses it; nobody else's changes."""
    user = User.objects.create_user("ada", "ada@example.com", is_staff=True)
    person, page = Client(), reverse("admin:auth_user_second_factor")
    person.force_login(user)
    secret = re.findall(r"data-secret>([A-Z2-7 ]+)<", person.get(page).content.decode())[0]
    with at(NOW):
        person.post(page, {"code": code_of(secret, at=NOW.timestamp())})
    reset = reverse("admin:auth_user_reset_second_factor", args=[user.pk])
    for _ in range(2):
        world.staff.post(reset, {"reason": "Lost at sea."})
    assert [each.payload["change"] for each in Event.objects.order_by("pk")] == ["on", "reset"]


Play = Callable[[World], None]
K = EventKind
PLAYS: dict[Play, set[EventKind]] = {
    a_canary_that_goes_well: {
        K.DECIDED,
        K.CANARY_BEGUN,
        K.CANARY_ADVANCED,
        K.MOVED,
        K.WATCH_ENDED,
        K.ROLLED_BACK,
    },
    a_canary_that_stands_still: {K.CANARY_PAUSED, K.CANARY_RESUMED, K.CANARY_ABORTED},
    approvals_that_fall: {K.APPROVAL_NEEDED, K.APPROVAL_FELL},
    a_discussion: {K.COMMENTED, K.CHANGES_ASKED, K.CHANGES_WITHDRAWN, K.CHANGES_OVERRIDDEN},
    a_snooze: {K.REOPENED},
    listings: {K.RECOMMENDED, K.SUPERSEDED},
    a_retirement: {K.RETIREMENT_CHANGED, K.REMINDER, K.START_THIS_WEEK},
    a_provider_that_is_away: {K.PROVIDER_FAILING, K.PROVIDER_RECOVERED},
    a_key_that_is_refused: {K.KEY_REFUSED},
    samples: {K.UNTRACKED, K.SERVED_OTHERWISE},
    drifting: {K.DRIFTED},
    tests_that_fail: {K.TESTS_BEGUN, K.FAILED, K.EVALUATION_ENDED},
    a_budget_that_is_reached: {K.BUDGET_REACHED},
    an_emergency: {K.EMERGENCY_DECLARED, K.EMERGENCY_ENDED, K.EMERGENCY_REVIEWED},
    a_digest: {K.DIGEST},
    a_phone_that_is_lost: {K.SECOND_FACTOR},
    the_switch: {K.AUTOMATION_OFF, K.AUTOMATION_ON},
}
ONCE = {
    K.PROVIDER_FAILING,
    K.PROVIDER_RECOVERED,
    K.KEY_REFUSED,
    K.UNTRACKED,
    K.SERVED_OTHERWISE,
    K.DRIFTED,
    K.START_THIS_WEEK,
    K.REMINDER,
    K.AUTOMATION_OFF,
    K.AUTOMATION_ON,
    K.BUDGET_REACHED,
    K.EVALUATION_ENDED,
    K.DIGEST,
    K.EMERGENCY_DECLARED,
    K.EMERGENCY_ENDED,
    K.EMERGENCY_REVIEWED,
}
"""Each of these happens once in its play, however often somebody looks."""


def test_every_kind_is_played() -> None:
    assert set().union(*PLAYS.values()) == set(EventKind)


def names_of_models() -> list[str]:
    """Return the names of all models that can be told from other words."""
    return [name for name in TrackedModel.objects.values_list("name", flat=True) if len(name) > 6]


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
def test_what_happens_is_written_as_its_schema_says(play: Play, world: World) -> None:
    play(world)
    written = list(Event.objects.with_subjects().order_by("pk"))
    kinds = [EventKind(each.kind) for each in written]
    assert PLAYS[play] <= set(kinds)
    assert [kind for kind in PLAYS[play] & ONCE if kinds.count(kind) != 1] == []
    for event in written:
        message = json.loads(json.dumps(messages.of(event)))
        schema = world.api.get(f"/api/event-kinds/{event.kind}").json()["schema"]
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            message
        )
        assert message["data"].keys() == schema["properties"]["data"]["properties"].keys()
        page = world.staff.get(messages.page_of(event))
        assert page.status_code == 200
        said = json.dumps(message)
        if event.tracked_model is None:  # it goes to everybody, whose team a model may be
            assert not [name for name in names_of_models() if name in said]
        assert not [word for word in (KEY, UNSAID, "secret patient") if word in said]


def test_its_page_lists_every_kind_with_its_fields() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    for kind, described in KINDS.items():
        fields = ", ".join(f"`{name}`" for name in described.details)
        assert f"\n| `{kind}` | {described.when} | {fields} |\n" in page


def test_the_api_tells_all_kinds(world: World) -> None:
    told = {each["kind"]: each for each in world.api.get("/api/event-kinds").json()["results"]}
    assert told.keys() == set(EventKind)
    for kind, each in told.items():
        Draft202012Validator.check_schema(each["schema"])
        assert each["schema"] == schema_of(EventKind(kind))
    assert world.api.get("/api/event-kinds/no.such").status_code == 404


SECRETS = st.sampled_from(["sk-live-4711", "Bearer abc", "-----BEGIN PRIVATE KEY-----"])


@given(secret=SECRETS, kind=st.sampled_from(list(EventKind)), data=st.data())
def test_no_field_has_a_place_for_what_nobody_named(
    secret: str, kind: EventKind, data: st.DataObject
) -> None:
    """A payload with one field more, whatever it is called, is refused before it is written."""
    from versioning.services import events
    from versioning.services.actors import Actor

    name = data.draw(st.sampled_from(["prompt", "key", "api_key", "answer", "output", "token"]))
    details = dict.fromkeys(KINDS[kind].details, None) | {name: secret}
    with pytest.raises(ValueError, match="has the fields") as refused:
        events.write(kind, sentence="", actor=Actor.command(), now=NOW, details=details)
    assert secret not in str(refused.value)
