"""Whose a model is: the matrix of caller, operation and page, complete by construction."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import ApiKeyFactory, TrackedModelFactory, UserFactory, tracked
from tests.versioning.admin.walk import make_world, routes
from tests.versioning.api import walk
from tests.versioning.api.conftest import Api
from tests.versioning.api.everything import TASK, Everything
from tests.versioning.api.test_every_answer import ask, world  # noqa: F401
from tests.versioning.services.test_webhooks import happen
from versioning.admin.base import SUBJECTS as OF_PAGES
from versioning.admin.start_page import waiting_badge
from versioning.api import urls
from versioning.api.teams import subject_of
from versioning.domain.event_schemas import KINDS, Subject
from versioning.domain.events import EventKind
from versioning.models import (
    ApiKey,
    Delivery,
    Digest,
    EvaluationSuite,
    Event,
    ModelVersion,
    Policy,
    Recipient,
    Team,
    TrackedModel,
    UnknownModel,
    UpgradeRecord,
    Webhook,
)
from versioning.services import calendars, digests, keys, teams
from versioning.services.actors import Actor
from versioning.services.channels import CHANNELS
from versioning.services.errors import Invalid, NotAllowed
from versioning.services.upgrades import decisions

pytestmark = pytest.mark.django_db
OPERATIONS = walk.operations()
OF_ONE_MODEL = [
    each
    for each in OPERATIONS
    if each.rule is not None
    and ("{model}" in each.path or subject_of(each.path.replace("{id}", "<int:id>")[1:]))
]
WRITES = [each for each in OF_ONE_MODEL if each.method != "get"]
READS = [each for each in OF_ONE_MODEL if each.method == "get"]


@pytest.fixture
def team() -> Team:
    made = Team.objects.create(name="checkout", group=Group.objects.create(name="team checkout"))
    return made


@pytest.fixture
def hidden_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each model is called so from its beginning: what is written of it anywhere says it, too."""
    make = TrackedModelFactory._create.__func__

    def named(cls: Any, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        return make(cls, model_class, *args, **{**kwargs, "name": f"hidden-{kwargs['name']}"})

    monkeypatch.setattr(TrackedModelFactory, "_create", classmethod(named))


@pytest.fixture
def owned(world: Everything, team: Team) -> Everything:  # noqa: F811
    """A world all of whose models are the team's."""
    TrackedModel.objects.update(team=team)
    return world


def key(**more: Any) -> Api:
    return Api(ApiKeyFactory(scopes=ApiKey.Scope.values, **more).secret)


def close(team: Team) -> None:
    team.closed = True
    team.save()


def test_each_address_with_an_id_says_of_which_table_it_is() -> None:
    """A view without a rule fails here: the guard would not know whose its rows are."""
    for each in urls.urlpatterns:
        route = str(each.pattern)
        if getattr(each.callback, "view_class", None) and "<int:id>" in route:
            subject_of(route)
    assert len(WRITES) > 20
    assert len(READS) > 15


def test_each_further_page_with_an_id_does_too() -> None:
    """``further_page`` looks its names up as the pages are made: others stop the start."""
    for model, page in admin.site._registry.items():
        if model._meta.app_label == "versioning":
            for pattern in page.get_urls():
                usual = {"object_id", "content_type_id", "history_id"}
                assert set(pattern.pattern.converters) <= {*OF_PAGES, *usual}, pattern


def test_who_is_in_no_team_changes_nothing(owned: Everything) -> None:
    stranger = key()
    for operation in WRITES:
        answer = stranger._send(operation.method.upper(), owned.address(operation), {}, {})
        assert answer.status_code == 403, (str(operation), answer.content)
        assert answer.json()["code"] == "not-allowed", str(operation)


def test_who_is_in_no_team_sees_an_open_one_and_not_a_closed_one(
    owned: Everything, team: Team
) -> None:
    member, stranger = key(team=team), key()
    assert {str(each): ask(stranger, each, owned).status_code for each in READS} == dict.fromkeys(
        map(str, READS), 200
    )
    close(team)
    assert {str(each): ask(stranger, each, owned).status_code for each in READS} == dict.fromkeys(
        map(str, READS), 404
    )
    assert {str(each): ask(member, each, owned).status_code for each in READS} == dict.fromkeys(
        map(str, READS), 200
    )


def test_lists_leave_out_what_is_closed(owned: Everything, team: Team) -> None:
    lists = [each for each in OPERATIONS if each.method == "get" and "{" not in each.path]
    close(team)
    member, stranger = key(team=team), key()
    looked_at = 0
    for operation in lists:
        query = f"?task={TASK}" if "task" in operation.parameters("query") else ""
        theirs = stranger.get(operation.path + query)
        if theirs["Content-Type"] != "application/json" or "results" not in theirs.json():
            continue
        for row in theirs.json()["results"]:
            named = row.get("model") or row.get("tracked_model") or row.get("tracked_model_id")
            assert not named or "unknown" in operation.path, (str(operation), row)
        looked_at += len(member.get(operation.path + query).json()["results"])
    assert looked_at > 20


def test_no_answer_names_a_closed_one_to_a_stranger(
    hidden_names: None, owned: Everything, team: Team
) -> None:
    """Whatever the address is about: by its lists, its rows, and what one row says of others."""
    close(team)
    found, told = {"member": 0, "stranger": 0}, list[str]()
    for who, api in (("member", key(team=team)), ("stranger", key())):
        for operation in OPERATIONS:
            if operation.method != "get":
                continue
            answer = ask(api, operation, owned)
            said = b"".join(answer) if answer.streaming else answer.content
            # What is refused says the address again, in which the stranger wrote the name.
            if b"hidden-" in said and answer.status_code < 400:
                found[who] += 1
                told += [str(operation)] if who == "stranger" else []
    assert told == []
    assert found["member"] > 20


def test_a_closed_one_can_be_decided_on_by_no_stranger_who_guesses_its_id(
    owned: Everything, team: Team
) -> None:
    close(team)
    stranger = key()
    for operation in WRITES:
        answer = stranger._send(operation.method.upper(), owned.address(operation), {}, {})
        assert answer.status_code == 404, (str(operation), answer.content)


def test_whoever_reports_samples_may_for_a_closed_one_and_is_told_nothing(
    hidden_names: None, owned: Everything, team: Team
) -> None:
    """As docs/operations.md says: a gateway reports for all. Its answer is that of any model."""
    close(team)
    reporter = key()
    model = TrackedModel.objects.earliest("pk")
    body = [{"provider": model.provider.slug, "model": model.name, "quality": 1, "task": TASK}]
    strange = [{**body[0], "model": "nobody-has-this"}]
    answers = [reporter.post("/api/performance-samples", each) for each in (body, strange)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json().keys() == answers[1].json().keys()
    assert b"hidden-" not in answers[0].content
    assert b"hidden-" not in reporter.get("/api/performance-samples").content


@pytest.mark.parametrize("kind", [*EventKind])
def test_no_news_of_a_closed_one_goes_to_a_stranger(team: Team, kind: EventKind) -> None:
    """Whatever happens to it: to webhooks and recipients with no team, and to calendars of none."""
    close(team)
    about = KINDS[kind].about
    if about in {Subject.PROVIDER, Subject.ALL}:
        return  # of no model: test_event_kinds holds what these say
    model = tracked(name="secret-plan", team=team)
    other = Team.objects.create(name="till", group=Group.objects.create(name="team till"))
    for name, of in (("open", None), ("other", other), ("ours", team)):
        Webhook.objects.create(name=name, url="https://example.com", secret="x", team=of)  # noqa: S106
        Recipient.objects.create(name=name, email=f"{name}@example.com", team=of)
    event = Event(
        kind=kind, version=1, at=timezone.now(), provider=model.provider, tracked_model=model,
        actor_kind="scheduler", actor_name="scheduler", sentence="secret-plan", payload={},
    )  # fmt: skip
    takers = [
        (channel.name, due.to)
        for channel in CHANNELS.values()
        if channel.name != "mail"  # its owner's reminders
        for due in channel.takers([event])
    ]
    assert {to for _, to in takers} == {"ours"}
    assert {name for name, _ in takers} == {"webhook", "people"}


def person(*groups: str, team: Team | None = None, boss: bool = False) -> Client:
    user: User = UserFactory(is_staff=True, is_superuser=boss)
    user.groups.set(Group.objects.filter(name__in=groups))
    if team is not None:
        user.groups.add(team.group)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def pages(record: UpgradeRecord) -> Iterator[str]:
    """Return pages that show one model, or decide on it."""
    args = [record.tracked_model_id]
    yield reverse("admin:versioning_trackedmodel_change", args=args)
    yield reverse("admin:versioning_trackedmodel_now", args=args)
    yield reverse("admin:versioning_trackedmodel_pin", args=args)
    yield reverse("admin:versioning_modelversion_change", args=[record.to_version_id])
    for name in ("change", "approve", "reject", "snooze", "why", "evidence"):
        yield reverse(f"admin:versioning_upgraderecord_{name}", args=[record.pk])


class TestPages:
    def test_a_closed_team_s_are_there_for_its_members_and_superusers(
        self, owned: Everything, team: Team
    ) -> None:
        record = UpgradeRecord.objects.filter(state="recommended").latest("pk")
        close(team)
        stranger, member = person("operator"), person("operator", team=team)
        for page in pages(record):
            assert stranger.get(page).status_code in {302, 404}, page
            assert member.get(page).status_code == 200, page
        assert person(boss=True).get(next(pages(record))).status_code == 200
        name = record.tracked_model.name
        for page in ("/admin/", *(reverse(f"admin:{each}") for each in LISTS)):
            assert name not in stranger.get(page).content.decode(), page
        assert name in member.get("/admin/").content.decode()

    def test_no_page_and_no_piece_of_one_names_a_closed_one_to_a_stranger(
        self, db: None, hidden_names: None, team: Team
    ) -> None:
        make_world()
        for model in TrackedModel.objects.all():  # one by one: their history has it, too
            model.team = team
            model.save()
        close(team)
        stranger, looked_at, told = person("operator"), 0, list[str]()

        for address in (*(each for route in routes() for each in route.addresses()), *pieces()):
            answer = stranger.get(address)
            if b"hidden-" in answer.content or answer.status_code >= 500:
                told.append(address)
            looked_at += answer.status_code == 200

        assert told == []
        assert looked_at > 150

    def test_what_a_closed_one_s_rules_were_is_hidden_once_they_are_deleted(
        self, owned: Everything, team: Team
    ) -> None:
        policy = Policy.objects.exclude(tracked_model=None).latest("pk")
        page = reverse("admin:versioning_policy_history", args=[policy.pk])
        policy.delete()
        assert person("operator").get(page).status_code == 200
        close(team)
        assert person("operator").get(page).status_code == 404
        assert person("operator", team=team).get(page).status_code == 200

    def test_an_open_team_s_are_read_by_others_and_decided_by_members(
        self, owned: Everything, team: Team
    ) -> None:
        UpgradeRecord.objects.under_way().update(state="aborted")
        record = UpgradeRecord.objects.filter(state="recommended").latest("pk")
        body = {"confirmed": "reject", "reason": "No."}
        page = reverse("admin:versioning_upgraderecord_reject", args=[record.pk])
        stranger = person("reviewer")

        assert stranger.get(page).status_code == 200
        assert stranger.post(page, body).status_code == 403
        chosen = {"action": "reject_selected", "_selected_action": [record.pk], **body}
        listed = reverse("admin:versioning_upgraderecord_changelist")
        stranger.post(listed, chosen)
        record.refresh_from_db()
        assert record.state == "recommended"
        person("reviewer", team=team).post(page, body)
        record.refresh_from_db()
        assert record.state == "rejected"


def pieces() -> Iterator[str]:
    """Return what answers with a piece of a page: the menu's search, and what selects search."""
    yield reverse("admin:search") + "?s=hidden&extended=1"
    for model, page in admin.site._registry.items():
        yield (
            reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") + "?q=hid"
        )
        for field in page.autocomplete_fields:
            asked = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field,
                "term": "hidden",
            }
            yield f"{reverse('admin:autocomplete')}?{urlencode(asked)}"


LISTS = (
    "versioning_trackedmodel_changelist",
    "versioning_trackedmodel_retirements",
    "versioning_modelversion_changelist",
    "versioning_upgraderecord_changelist",
    "versioning_upgraderecord_held",
    "versioning_event_changelist",
    "versioning_notice_changelist",
    "versioning_performancesample_changelist",
    "versioning_evaluationrun_changelist",
)


def test_services_refuse_outsiders_whatever_door_they_came_by(
    owned: Everything, team: Team
) -> None:
    record = UpgradeRecord.objects.filter(state="recommended").latest("pk")
    more = {"record_id": record.pk, "reason": "No.", "now": timezone.now()}
    with pytest.raises(NotAllowed):
        decisions.reject(actor=Actor.of_user(UserFactory()), **more)
    service = ApiKeyFactory(team=team)
    actor = Actor.of_api_key(ApiKey.objects.get(pk=service.pk))
    assert decisions.reject(actor=actor, **more).state == "rejected"


FOR_ALL = {EvaluationSuite, UnknownModel}
"""Which questions there are, and what no model is tracked for: no secret of a team."""


def test_every_table_that_tells_of_a_model_is_known_to_teams() -> None:
    """What an API list or an admin list shows, and leads to a model, must be narrowed."""
    shown = {model for model in admin.site._registry if model._meta.app_label == "versioning"}
    leads = {
        model
        for model in shown
        if any(
            getattr(field, "related_model", None) in {TrackedModel, *teams.PATHS} and field.concrete
            for field in model._meta.get_fields()
        )
    }
    assert leads - set(teams.PATHS) == FOR_ALL


class TestWhatIsNamedElsewhereThanInTheAddress:
    """In a body, a query or a form: whose it is counts there, too."""

    def test_a_run(self, owned: Everything, team: Team) -> None:
        record = UpgradeRecord.objects.waiting().earliest("pk")
        suite = EvaluationSuite.objects.earliest("pk")
        body = {"suite": suite.name, "to_version": record.to_version_id, "budget_tokens": 10_000}
        stranger = key()
        assert stranger.post("/api/evaluation-runs", body).status_code == 403
        close(team)
        assert stranger.post("/api/evaluation-runs", body).status_code == 404
        assert stranger.post("/api/evaluation-runs/estimate", body).status_code == 404

    def test_a_policy(self, owned: Everything, team: Team) -> None:
        Policy.objects.all().delete()
        model = TrackedModel.objects.earliest("pk")
        body = {"tracked_model": model.pk, "watch_days": 3}
        assert key().post("/api/policies", body).status_code == 403
        assert key(team=team).post("/api/policies", body).status_code == 201

    def test_what_the_admin_offers(self, owned: Everything, team: Team) -> None:
        record = UpgradeRecord.objects.waiting().earliest("pk")
        suite = EvaluationSuite.objects.earliest("pk")
        stranger, member = person("operator"), person("operator", team=team)
        pair = f"?from={record.from_version_id}&to={record.to_version_id}"
        compare = reverse("admin:versioning_modelversion_compare") + pair
        run = reverse("admin:versioning_evaluationsuite_run", args=[suite.pk])
        chosen, refused = {"to_version": record.to_version_id}, "of a tracked model of yours"
        assert refused in stranger.post(run, chosen).content.decode()
        assert refused not in member.post(run, chosen).content.decode()
        assert "There is no such version" not in stranger.get(compare).content.decode()
        close(team)
        assert "There is no such version" in stranger.get(compare).content.decode()
        assert "There is no such version" not in member.get(compare).content.decode()
        policy = {"tracked_model": record.tracked_model_id}
        answer = stranger.post(reverse("admin:versioning_policy_add"), policy).content.decode()
        assert "Select a valid choice" in answer


@pytest.mark.parametrize("name", ["", "nobody's"])
def test_what_names_no_team_is_refused_and_null_takes_it_away(
    owned: Everything, team: Team, name: str
) -> None:
    model = TrackedModel.objects.earliest("pk")
    address = f"/api/tracked-models/{model.pk}"
    member = key(team=team)
    assert member.patch(address, {"team": name}).status_code == 422
    assert member.patch(address, {"team": None}).status_code == 200
    model.refresh_from_db()
    assert model.team is None


class TestWhoIsToldOfAClosedTeam:
    """Webhooks, recipients, their digests and calendars: the team's own alone."""

    @pytest.fixture
    def model(self, team: Team) -> TrackedModel:
        close(team)
        model = tracked(name="secret-plan", team=team)
        retires_on = timezone.now().date() + timedelta(days=20)
        ModelVersion.objects.filter(tracked_model=model).update(retires_on=retires_on)
        return model

    def test_events(self, model: TrackedModel, team: Team) -> None:
        for name, of in (("open", None), ("ours", team)):
            Webhook.objects.create(name=name, url="https://example.com", secret="x", team=of)  # noqa: S106
            Recipient.objects.create(name=name, email=f"{name}@example.com", team=of)
        happen(model)
        told = Delivery.objects.filter(event__tracked_model=model)
        assert set(told.values_list("channel", "to")) == {("webhook", "ours"), ("people", "ours")}
        Team.objects.update(closed=False)
        happen(TrackedModel.objects.get(pk=model.pk))
        assert set(told.values_list("to", flat=True)) == {"ours", "open"}

    def test_digests_and_calendars(self, model: TrackedModel, team: Team) -> None:
        for of in (None, team):
            name = "ours" if of else "open"
            recipient = Recipient.objects.create(
                name=name, email=f"{name}@example.com", weekly_digest=True, team=of
            )
            Recipient.objects.filter(pk=recipient.pk).update(
                created_at=timezone.now() - timedelta(days=15)
            )
        today = timezone.now()
        next_monday = today + timedelta(days=7 - today.weekday())
        digests.write(now=next_monday.replace(hour=12))
        bodies = {each.recipient.name: each.body for each in Digest.objects.all()}
        assert ("secret-plan" in bodies["ours"], "secret-plan" in bodies["open"]) == (True, False)
        boss = Actor.command()
        for of, seen in ((None, False), (team, True)):
            feed = calendars.add(fields={"name": f"c{seen:d}", "team": of}, actor=boss)
            shown = calendars.read(token=feed.token, now=timezone.now()).decode()
            assert ("secret-plan" in shown) is seen

    @pytest.mark.parametrize(
        ("address", "fields"),
        [
            ("/api/webhooks", {"url": "https://example.com/x"}),
            ("/api/recipients", {"email": "a@example.com"}),
            ("/api/calendars", {}),
        ],
    )
    def test_only_members_have_others_told(
        self, team: Team, address: str, fields: dict[str, Any]
    ) -> None:
        body = {"name": "ops", "team": team.name, **fields}
        assert key().post(address, body).status_code == 403
        assert key().post(address, body | {"name": "any", "team": None}).status_code == 201
        assert key(team=team).post(address, body).status_code == 201

    def test_the_admin_offers_members_their_own(self, team: Team) -> None:
        stranger, member = person("operator"), person("operator", team=team)
        for name in ("webhook", "recipient", "calendarfeed"):
            page = reverse(f"admin:versioning_{name}_add")
            offered = f">{team.name}</option>"
            assert offered not in stranger.get(page).content.decode()
            assert offered in member.get(page).content.decode()


class TestKeys:
    """A key of a team sees and decides what the team does: who isn't in it makes none."""

    def test_a_stranger_is_offered_none_and_makes_none(self, team: Team) -> None:
        page = reverse("admin:versioning_apikey_add")
        sent = {"name": "till", "scopes": ["decide"], "whose": "service", "team": team.pk}
        stranger, member = person("operator"), person("operator", team=team)
        assert f">{team.name}</option>" not in stranger.get(page).content.decode()
        assert stranger.post(page, sent).status_code == 200
        assert not ApiKey.objects.exists()

        assert f">{team.name}</option>" in member.get(page).content.decode()
        member.post(page, sent)
        assert ApiKey.objects.get().team == team

    def test_the_service_refuses_outsiders_by_any_door(self, team: Team) -> None:
        outsider = Actor.of_user(UserFactory())
        with pytest.raises(Invalid) as refused:
            keys.create_api_key(
                name="till", scopes=["read"], team=team, actor=outsider, now=timezone.now()
            )
        assert [error.pointer for error in refused.value.errors] == ["/team"]


def test_the_badge_counts_what_the_person_sees(owned: Everything, team: Team) -> None:
    def badge(client: Client) -> int:
        request = client.get("/admin/").wsgi_request
        return waiting_badge(request)

    close(team)
    assert badge(person("operator")) == 0
    assert badge(person("operator", team=team)) == badge(person(boss=True)) > 0
