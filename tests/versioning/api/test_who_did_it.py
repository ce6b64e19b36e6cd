"""Who did it: every change has an actor and stands in a history; approvals count people."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from providers.models import Provider
from tests.factories import NOW, ModelVersionFactory, UpgradeRecordFactory, UserFactory, tracked
from tests.versioning.api.conftest import Api
from versioning import services
from versioning.models import ApiKey, LineageRule, ModelVersion, Policy, UpgradeRecord
from versioning.services import keys
from versioning.services.actors import Actor
from versioning.services.errors import AlreadyMoved, Invalid, NotAllowed
from versioning.services.upgrades import decisions

pytestmark = pytest.mark.django_db

HANDS = ("editing", "providers", "tracking", "versions", "keys", "upgrades.decisions")
"""The modules by which people and programs change what is set up, known or decided."""

READS_OR_HELPS = {
    "editing.row_of",
    "editing.revision_of",
    "editing.set_fields",
    "editing.check",
    "editing.save_checked",  # the last hand: whoever calls it has signed the row
    "providers.by_slug",
    "providers.exists",
    "providers.named_in_body",
    "providers.test_connection",
    "upgrades.decisions.refuse_current",
    "tracking.by_id",
    "tracking.rules_changed",  # takes a name: the admin has saved the rule, signed
    "versions.by_id",
    "versions.find",
    "versions.of_entry",
    "keys.authenticate",
}


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in HANDS:
        module = importlib.import_module(f"{services.__name__}.{name}")
        for function, found in inspect.getmembers(module, inspect.isfunction):
            if not function.startswith("_") and inspect.unwrap(found).__module__ == module.__name__:
                yield f"{name}.{function}", found


@pytest.mark.parametrize("name", sorted({name for name, _ in public_functions()}))
def test_whatever_changes_something_takes_an_actor(name: str) -> None:
    function = dict(public_functions())[name]
    takes = "actor" in inspect.signature(function).parameters
    assert takes != (name in READS_OR_HELPS), f"{name}: give it an actor, or say why not."
    if takes:
        tree = ast.parse(inspect.getsource(inspect.unwrap(function)))
        used = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "actor"]
        assert used, f"{name} takes an actor and tells nobody."


def test_every_module_of_services_is_there() -> None:
    found = {each.name for each in pkgutil.walk_packages(services.__path__)}
    assert {name.split(".")[0] for name in HANDS} <= found


WITH_HISTORY = (Provider, ModelVersion, LineageRule, ApiKey, Policy)


@pytest.mark.parametrize("model", WITH_HISTORY)
def test_what_people_change_has_a_history(model: Any) -> None:
    assert hasattr(model, "history")


def last_reason(rows: Any) -> str:
    return str(rows.latest().history_change_reason)


def test_each_door_leaves_the_name_of_who_came_through(
    api: Api, admin_client: Client, staff: Actor
) -> None:
    key = ApiKey.objects.get()
    said = f"api: {key.name}"
    model = tracked()
    version = ModelVersionFactory(tracked_model=model)
    api.post("/api/providers", {"slug": "p", "kind": "ollama", "base_url": "http://127.0.0.1:9"})
    assert last_reason(Provider.objects.get(slug="p").history) == said
    rules = f"/api/tracked-models/{model.pk}/rules"
    rule = api.post(rules, {"kind": "ignore", "pattern": "x"}).json()["id"]
    assert last_reason(LineageRule.history.filter(id=rule)) == said
    assert api.delete(f"{rules}/{rule}").status_code == 204
    gone = LineageRule.history.filter(id=rule).latest()
    assert (gone.history_type, gone.history_change_reason) == ("-", said)
    address = f"/api/versions/{version.pk}"
    api.patch(address, {"context_tokens": 5})
    assert last_reason(version.history) == said
    assert version.history.latest().context_tokens == 5
    api.post(f"{address}/release", {"names": ["context_tokens"]})
    assert version.history.count() == 2
    call_command("create_api_key", "shop")
    shop = ApiKey.objects.get(name="shop")
    assert last_reason(shop.history).startswith("command: ")
    keys.revoke(api_key_id=shop.pk, actor=staff, now=shop.created_at)
    assert last_reason(shop.history) == "staff: ada"
    assert shop.history.count() == 2


def test_a_sign_in_stands_in_the_history_of_the_person(client: Client) -> None:
    user = UserFactory(is_staff=True)
    user.set_password("right")
    user.save()
    client.post(reverse("admin:login"), {"username": user.username, "password": "wrong"})
    assert not LogEntry.objects.exists()

    client.post(reverse("admin:login"), {"username": user.username, "password": "right"})

    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id, entry.change_message) == (
        user.pk,
        str(user.pk),
        "Signed in.",
    )


class TestPeople:
    """Approvals count people, whichever keys they hold."""

    @pytest.fixture
    def people(self) -> dict[str, Actor]:
        return {name: Actor.of_user(UserFactory(username=name)) for name in ("ann", "bob")}

    @pytest.fixture
    def record(self) -> UpgradeRecord:
        record: UpgradeRecord = UpgradeRecordFactory()
        return record

    def key(self, maker: Actor, *, is_own: bool, name: str) -> Actor:
        now = NOW
        made = keys.create_api_key(
            name=name, scopes=["decide"], is_own=is_own, actor=maker, now=now
        )
        return Actor.of_api_key(made.api_key)

    def asked_by(self, actor: Actor, record: UpgradeRecord) -> UpgradeRecord:
        Policy.objects.create(requester_may_approve=False)
        UpgradeRecord.objects.filter(pk=record.pk).update(state="superseded")
        asked = decisions.request_upgrade(
            tracked=record.tracked_model,
            to_version=str(record.to_version_id),
            actor=actor,
            now=record.recommended_at,
        )
        assert asked.state == "recommended"
        return asked

    def approve(self, record: UpgradeRecord, actor: Actor) -> UpgradeRecord:
        return decisions.approve(record_id=record.pk, actor=actor, now=record.recommended_at)

    @pytest.mark.parametrize("asks", ["admin", "own", "service"])
    @pytest.mark.parametrize("approves", ["admin", "own", "service"])
    def test_nobody_is_two_people(
        self, record: UpgradeRecord, people: dict[str, Actor], asks: str, approves: str
    ) -> None:
        """Neither with a second key, nor in the admin, nor with a service's key they made."""

        def hand(person: str, kind: str, name: str) -> Actor:
            if kind == "admin":
                return people[person]
            return self.key(people[person], is_own=kind == "own", name=name)

        asked = self.asked_by(hand("ann", asks, "first"), record)

        with pytest.raises(NotAllowed):
            self.approve(asked, hand("ann", approves, "second"))
        if approves == "service":
            with pytest.raises(NotAllowed):
                self.approve(asked, hand("bob", approves, "third"))
        else:
            assert self.approve(asked, hand("bob", approves, "third")).state == "completed"

    def test_two_keys_of_one_person_are_one_of_two(
        self, record: UpgradeRecord, people: dict[str, Actor]
    ) -> None:
        Policy.objects.create(approvals_needed=2)
        self.approve(record, self.key(people["ann"], is_own=True, name="first"))

        for again in (self.key(people["ann"], is_own=True, name="second"), people["ann"]):
            with pytest.raises(AlreadyMoved):
                self.approve(record, again)
        with pytest.raises(NotAllowed):
            self.approve(record, self.key(people["bob"], is_own=False, name="service"))
        assert self.approve(record, people["bob"]).state == "completed"

    def test_nobody_makes_a_key_for_somebody_else(self) -> None:
        with pytest.raises(Invalid):
            self.key(Actor.command(), is_own=True, name="somebody's")

    def test_the_key_of_a_person_who_left_is_refused(self, people: dict[str, Actor]) -> None:
        now = NOW
        made = keys.create_api_key(
            name="own", scopes=["read"], is_own=True, actor=people["ann"], now=now
        )
        assert keys.authenticate(made.secret, now=now)

        person = made.api_key.person
        assert person is not None
        person.is_active = False
        person.save()

        assert keys.authenticate(made.secret, now=now) is None

    def test_in_the_admin_a_person_makes_one_of_their_own(self, admin_client: Client) -> None:
        form = {"name": "mine", "scopes": ["decide"], "whose": "own"}
        admin_client.post(reverse("admin:versioning_apikey_add"), form)
        own = ApiKey.objects.get()
        assert own.person == own.maker
        assert own.person is not None
