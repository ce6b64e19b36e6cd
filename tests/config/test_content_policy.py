"""What pages may load and run; that no page breaks it is seen in the browser tests' console."""

import re
import sys
from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tests.config.conftest import ROOT, embedded, run
from tests.factories import UserFactory
from tests.versioning.admin.test_pages import make_rows

pytestmark = pytest.mark.django_db
TEMPLATES = [
    *(ROOT / "templates").rglob("*.html"),
    *(ROOT / "versioning").rglob("*.html"),
    *(ROOT / "sample_world").rglob("*.html"),
]
PYTHON = [*(ROOT / "versioning/admin").rglob("*.py"), *(ROOT / "providers").rglob("*.py")]
INLINE = re.compile(
    r"""\bstyle=\\?["']|\son(click|change|submit|load|input|error|focus|blur|key\w+|mouse\w+)=\\?["']|<style\b(?!.*nonce)|<script(?!.*(src|nonce)=)|javascript:"""
)


def directives(address: str, client: Client | None = None) -> dict[str, set[str]]:
    answer = (client or Client(raise_request_exception=False)).get(address)
    policy = answer["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    return {name: set(rest) for name, *rest in (part.split() for part in policy.split(";"))}


@pytest.mark.parametrize("file", [*TEMPLATES, *PYTHON], ids=lambda file: file.name)
def test_nothing_of_ours_stands_inline(file: Path) -> None:
    assert [line for line in file.read_text().splitlines() if INLINE.search(line)] == []


def test_only_the_admin_may_read_expressions() -> None:
    staff = Client()
    staff.force_login(UserFactory(is_staff=True, is_superuser=True))
    for address in ("/admin/", "/admin/versioning/check/", "/admin/none/"):
        assert directives(address, staff)["script-src"] == {"'self'", "'unsafe-eval'"}
    assert directives("/admin/login/")["script-src"] == {"'self'", "'unsafe-eval'"}
    for address in ("/nothing", "/api/docs", "/api/redoc"):
        assert "'unsafe-eval'" not in directives(address)["script-src"]


@pytest.mark.parametrize(
    "address",
    ["/api/providers", "/api/v1/providers", "/livez", "/readyz", "/metrics", "/api/none", "/v1/x"],
)
def test_an_answer_for_programs_may_load_nothing(address: str) -> None:
    found = directives(address)
    assert set(found) == {"default-src", "base-uri", "form-action", "frame-ancestors"}
    assert set().union(*found.values()) == {"'none'"}


@pytest.mark.parametrize("address", ["/admin/login/", "/nothing", "/api/docs", "/api/redoc"])
def test_a_page_loads_what_is_here_and_is_in_no_frame(address: str) -> None:
    found = directives(address)
    assert found["default-src"] == found["frame-ancestors"] == found["base-uri"] == {"'none'"}
    assert found["connect-src"] == found["form-action"] == {"'self'"}
    strangers = {each for sources in found.values() for each in sources if "//" in each}
    assert strangers == set()


def test_the_nonce_is_new_each_time() -> None:
    first, second = (directives("/api/redoc")["script-src"] for _ in range(2))
    assert any(each.startswith("'nonce-") for each in first)
    assert first != second


def test_the_check_for_deployment_finds_nothing_with_what_is_shipped(tmp_path: Path) -> None:
    shipped = embedded(tmp_path, BEHIND_HTTPS="true", ALLOWED_HOSTS="hotswap.example.com")
    strictly = ["check", "--deploy", "--fail-level", "INFO"]
    ended = run([sys.executable, "-m", "config.command", "manage", *strictly], shipped)
    assert (ended.returncode, ended.stdout.strip()) == (
        0,
        "System check identified no issues (2 silenced).",
    )


RUN = re.compile(
    r"<script(?![^>]*(?:src=|type=.application/json))[^>]*>|<style[^>]*>|\sstyle=.|"
    r"\son(?:click|change|submit|load|input|focus|blur|error|key\w+|mouse\w+)=.|javascript:"
)


def test_no_page_of_a_list_a_form_or_a_history_has_anything_inline() -> None:
    """Those of the libraries, too: what the policy would stop."""
    make_rows(1)
    client = Client(raise_request_exception=False)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    found: dict[str, str] = {}
    looked_at = 0
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.order_by("-pk").first()
        addresses = [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        if row is not None:
            addresses += [
                reverse(f"{name}_{each}", args=[row.pk]) for each in ("change", "history")
            ]
        for address in addresses:
            page = client.get(address)
            looked_at += page.status_code == 200
            found |= dict.fromkeys(RUN.findall(page.content.decode()), address)

    assert looked_at > 60
    assert found == {}
