"""A provider's key: which variable may be named, where its value may go, and who says so."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from providers import registry
from providers.models import Provider
from tests.factories import UserFactory
from tests.versioning.api.conftest import Api
from tests.versioning.api.test_problems import assert_problem

pytestmark = pytest.mark.django_db
SECRET = "sk-do-not-tell-anyone"


class Listener(ThreadingHTTPServer):
    """A server of somebody's own: it lists one model, and keeps what it was sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.heard.append(f"{self.path} {dict(self.headers)}")  # type: ignore[attr-defined]
        body = json.dumps({"data": [{"id": "zeta-1"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def other(listener: Listener) -> Iterator[Listener]:
    server = Listener()
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


NEVER = [*settings.HOTSWAP["OWN_VARIABLES"], "PATH", "HOME", "USER", "LD_PRELOAD", "PGPASSWORD"]
NEVER += ["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "STRIPE_API_KEY", "SSH_AUTH_SOCK", "PYTHONPATH"]


@pytest.mark.parametrize("name", sorted(NEVER))
@pytest.mark.parametrize("field", ["api_key_env", "access_key_id_env", "whatever_env"])
def test_what_the_operator_did_not_release_can_not_be_named(
    api: Api, listener: Listener, monkeypatch: pytest.MonkeyPatch, name: str, field: str
) -> None:
    if name not in {"DJANGO_SETTINGS_MODULE", "PATH"}:
        monkeypatch.setenv(name, SECRET)
    wide = settings.HOTSWAP | {"PROVIDER_KEYS": ["HOTSWAP_*", "SEC*", "DAT*", "PAT*", "AWS_*"]}
    monkeypatch.setattr(settings, "HOTSWAP", wide)
    body: dict[str, Any] = {"slug": "mine", "kind": "openai", "base_url": listener.url}
    body |= {field: name} if field == "api_key_env" else {"options": {field: name}}

    problem = assert_problem(api.post("/api/providers", body), 422, "invalid")

    where = "/api_key_env" if field == "api_key_env" else "/options"
    assert where in {error["pointer"] for error in problem["errors"]}
    assert "HOTSWAP_PROVIDER_KEYS" in problem["errors"][0]["detail"]
    assert not Provider.objects.exists()
    assert_problem(api.post("/api/providers/mine/test"), 404, "not-found")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "PATH", "STRIPE_API_KEY"])
def test_a_row_that_names_one_anyway_sends_nothing(
    api: Api, listener: Listener, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As when it was made before, or written past the doors."""
    monkeypatch.setenv(name, SECRET)
    row = Provider(slug="mine", kind="openai", base_url=listener.url, api_key_env=name)
    row.release_key()
    row.save()

    tested = api.post("/api/providers/mine/test").json()

    assert (tested["ok"], listener.heard) == (False, [])
    assert "HOTSWAP_PROVIDER_KEYS" in tested["sentence"]
    assert row.connection().api_key == ""


def add(api: Api, listener: Listener, **more: Any) -> Any:
    body = {"slug": "mine", "kind": "openai", "base_url": listener.url, "api_key_env": "ACME_KEY"}
    return api.post("/api/providers", body | more)


@pytest.fixture
def _acme_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_KEY", SECRET)
    monkeypatch.setenv("OPENROUTER_API_KEY", SECRET)


@pytest.mark.usefixtures("_acme_key")
class TestTheKeyAndItsPlace:
    def test_a_new_provider_may_send_its_key_to_its_address(
        self, api: Api, listener: Listener
    ) -> None:
        assert add(api, listener).json()["key_released"] is True
        assert api.post("/api/providers/mine/test").json()["ok"]
        assert SECRET in listener.heard[0]

    def test_another_address_alone_does_not_move_the_key(
        self, api: Api, listener: Listener, other: Listener
    ) -> None:
        add(api, listener)
        changed = api.patch("/api/providers/mine", {"base_url": other.url}).json()

        tested = api.post("/api/providers/mine/test").json()

        assert changed["key_released"] is False
        assert (tested["ok"], other.heard) == (False, [])
        assert "not released" in tested["sentence"]

    def test_an_option_with_an_address_does_not_either(
        self, api: Api, listener: Listener, other: Listener
    ) -> None:
        add(api, listener)
        api.patch("/api/providers/mine", {"options": {"runtime_url": other.url}})

        assert not api.post("/api/providers/mine/test").json()["ok"]
        assert other.heard == listener.heard == []

    def test_a_key_of_another_place_is_not_sent_by_naming_it(
        self, api: Api, listener: Listener, other: Listener
    ) -> None:
        add(api, listener)
        for name in ("ACME_KEY", "OPENROUTER_API_KEY"):
            kind = "openrouter" if name == "OPENROUTER_API_KEY" else "openai"
            slug = name.lower().replace("_", "-")
            made = add(api, other, slug=slug, kind=kind, api_key_env=name)
            assert made.json()["key_released"] is False
            assert not api.post(f"/api/providers/{slug}/test").json()["ok"]
        assert other.heard == []

    def test_the_key_is_released_by_an_act_that_is_kept(
        self, api: Api, listener: Listener, other: Listener
    ) -> None:
        add(api, listener)
        shown = api.patch("/api/providers/mine", {"base_url": other.url}).json()

        for places in ([], [f"{listener.url}"], ["https://elsewhere:443"]):
            refused = api.post("/api/providers/mine/release-key", {"places": places})
            assert_problem(refused, 422, "invalid")
        api.post("/api/providers/mine/release-key", {"places": shown["key_places"]})

        assert api.post("/api/providers/mine/test").json()["ok"]
        assert SECRET in other.heard[0]
        kept = Provider.objects.get().history.latest()
        assert kept.history_change_reason.startswith("api: ")
        assert any(place in str(kept.key_released_to) for place in shown["key_places"])

    @pytest.mark.parametrize("scopes", [("read", "ingest", "decide"), ("decide",)])
    def test_who_decides_neither_adds_nor_changes_nor_releases_nor_tests(
        self,
        api: Api,
        with_scopes: Callable[..., Api],
        listener: Listener,
        other: Listener,
        scopes: tuple[str, ...],
    ) -> None:
        add(api, listener)
        decider = with_scopes(*scopes)

        assert add(decider, other, slug="theirs").status_code == 403
        for answer in (
            decider.patch("/api/providers/mine", {"base_url": other.url}),
            decider.post("/api/providers/mine/release-key", {"places": [other.url]}),
            decider.post("/api/providers/mine/test"),
        ):
            assert_problem(answer, 403, "permission-denied")
        assert listener.heard == other.heard == []

    def test_in_the_admin_it_is_the_same(
        self, admin_client: Client, listener: Listener, other: Listener
    ) -> None:
        form = {
            "name": "Mine",
            "slug": "mine",
            "kind": "openai",
            "base_url": listener.url,
            "api_key_env": "ACME_KEY",
            "options": "{}",
        }
        admin_client.post(reverse("admin:providers_provider_add"), form)
        row = Provider.objects.get()
        page = reverse("admin:providers_provider_change", args=[row.pk])
        test = reverse("admin:providers_provider_test_connection", args=[row.pk])
        release = reverse("admin:providers_provider_release_key", args=[row.pk])
        admin_client.post(test)
        admin_client.post(page, form | {"base_url": other.url})
        admin_client.post(test)
        assert (len(listener.heard), other.heard) == (1, [])

        admin_client.post(release, {"pairs": "ACME_KEY http://elsewhere:80"})
        admin_client.post(test)
        assert other.heard == []
        unreleased = Provider.objects.get().unreleased_pairs()
        assert unreleased[0] in admin_client.get(page).content.decode()
        admin_client.post(release, {"pairs": " ".join(unreleased)})
        admin_client.post(test)

        assert SECRET in other.heard[0]
        assert Provider.objects.get().history.latest().history_user is not None

    def test_staff_without_the_permission_release_nothing(self, listener: Listener) -> None:
        row = Provider.objects.create(
            slug="mine", kind="openai", base_url=listener.url, api_key_env="ACME_KEY"
        )
        client = Client()
        client.force_login(UserFactory(is_staff=True))

        address = reverse("admin:providers_provider_release_key", args=[row.pk])

        assert client.post(address, {}).status_code == 403


def test_the_readmes_line_works_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", SECRET)
    call_command("add_provider", "openrouter", kind="openrouter", api_key_env="OPENROUTER_API_KEY")
    assert Provider.objects.get().connection().api_key == SECRET


@pytest.mark.parametrize("kind", [kind for kind, _ in registry.kinds()])
def test_every_kind_has_its_own_key_at_its_own_address(
    api: Api, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = registry.adapter_class(kind)
    if not (adapter.default_key_variable and adapter.default_base_url):
        pytest.skip("It has no public address, or needs no key.")
    monkeypatch.setenv(adapter.default_key_variable, SECRET)
    body = {"slug": "mine", "kind": kind, "api_key_env": adapter.default_key_variable}

    assert api.post("/api/providers", body).json()["key_released"] is True
    assert Provider.objects.get().connection().api_key == SECRET


@pytest.mark.parametrize("region", ["x.evil.example/", "a#", "a@b", "eu.central", "a/../b", "é"])
def test_a_region_makes_no_host_of_somebodys_own(api: Api, region: str) -> None:
    body = {
        "slug": "mine",
        "kind": "bedrock",
        "api_key_env": "AWS_SECRET_ACCESS_KEY",
        "options": {"region": region},
    }
    assert_problem(api.post("/api/providers", body), 422, "invalid")
