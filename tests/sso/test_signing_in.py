"""A browser signs in at an identity provider on this machine; the server knows variables alone.

It needs what `make sso` installs, and Chromium.
"""

import shutil
import sys
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.config.conftest import run
from tests.sso.conftest import Serve

provider = pytest.importorskip("oidc_provider_mock", reason="make sso installs it")
# The identity provider warns in its own thread of what its own libraries will take away.
pytestmark = [pytest.mark.e2e, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def claims(*groups: str, **more: Any) -> dict[str, Any]:
    return {"name": "Ada Lovelace", "preferred_username": "ada", "groups": [*groups], **more}


@pytest.fixture
def identity_provider() -> Iterator[str]:
    """One for each test, since tests change what it says of people and run in any order."""
    people = [provider.User(sub="ada", claims=claims("ml-staff", "ml-oncall", "others"))]
    people.append(provider.User(sub="eve", claims=claims("others", preferred_username="eve")))
    with provider.run_server_in_thread(user_claims=people) as server:
        yield f"http://localhost:{server.server_port}"


def is_now(address: str, sub: str, **new: Any) -> None:
    """Change what the identity provider says of somebody."""
    import json

    body = json.dumps(new).encode()
    headers = {"Content-Type": "application/json"}
    asked = urllib.request.Request(  # noqa: S310
        f"{address}/users/{sub}", body, headers, method="PUT"
    )
    urllib.request.urlopen(asked, timeout=10).close()  # noqa: S310


@pytest.fixture
def served(identity_provider: str, serve: Serve) -> Serve:
    return partial(serve, identity_provider)


@pytest.fixture
def page() -> Iterator[Page]:
    path = shutil.which("chromium")
    assert path is not None, "Browser tests need Chromium: apt install chromium."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def sign_in(page: Page, address: str, sub: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/admin/versioning/event/")
    page.get_by_role("link", name="Sign in with Acme").click()
    page.get_by_role("button", name=sub, exact=True).click()
    page.wait_for_url(f"{address}/**")


def groups_of(username: str, environment: dict[str, str]) -> list[str]:
    asked = (
        "from django.contrib.auth.models import User; "
        f"user = User.objects.get(username={username!r}); "
        "print(user.is_staff, *sorted(user.groups.values_list('name', flat=True)))"
    )
    shell = [sys.executable, "manage.py", "shell", "--no-imports", "-c", asked]
    ended = run(shell, environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


def test_who_comes_in_and_in_which_groups(
    page: Page, served: Callable[..., Any], identity_provider: str
) -> None:
    address, environment = served(HOTSWAP_LOCAL_PASSWORDS="false")

    page.goto(f"{address}/admin/login/")
    assert page.locator("[name=password]").count() == 0
    sign_in(page, address, "ada")
    assert page.url == f"{address}/admin/versioning/event/"
    assert groups_of("ada", environment) == ["True", "emergency", "viewer"]
    assert page.goto(f"{address}/admin/auth/user/").status == 403  # type: ignore[union-attr]

    is_now(identity_provider, "ada", **claims("ml-deciders"))
    sign_in(page, address, "ada")
    assert groups_of("ada", environment) == ["True", "reviewer"]

    sign_in(page, address, "eve")
    assert "You are in no group that may use Hotswap" in page.content()
    assert "/admin/login/" in page.url

    is_now(identity_provider, "ada", **claims("others"))
    sign_in(page, address, "ada")
    assert "/admin/login/" in page.url
    assert groups_of("ada", environment) == ["True"]

    for elsewhere in ("account_login", "socialaccount_signup", "socialaccount_connections"):
        page.goto(f"{address}/accounts/{elsewhere}/")
        assert "/admin/login/" in page.url


def test_with_local_passwords_both_ways_are_there_and_nothing_is_amiss(
    page: Page, served: Callable[..., Any]
) -> None:
    address, environment = served()
    made = run([sys.executable, "manage.py", "prepare", "--first-user"], environment)
    password = next(word for line in made.stdout.splitlines() for word in line.split()[-1:])

    page.goto(f"{address}/admin/login/")
    assert page.get_by_role("link", name="Sign in with Acme").is_visible()
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password.strip("."))
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/admin/", wait_until="load")
    for theirs in ("account/emailaddress", "socialaccount/socialapp"):
        assert page.goto(f"{address}/admin/{theirs}/").status == 404  # type: ignore[union-attr]

    shipped = environment | {"BEHIND_HTTPS": "true", "ALLOWED_HOSTS": "hotswap.example.com"}
    strictly = ["check", "--deploy", "--fail-level", "INFO"]
    ended = run([sys.executable, "manage.py", *strictly], shipped)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_whoever_comes_from_there_is_asked_for_no_second_factor_here(
    page: Page, served: Callable[..., Any], identity_provider: str
) -> None:
    key = "aXQncyBhIGtleSBmb3IgdGVzdHMsIG5vIG90aGVyISE="
    address, environment = served(HOTSWAP_SECOND_FACTOR="required", HOTSWAP_SECRETS_KEY=key)
    made = run([sys.executable, "manage.py", "prepare", "--first-user"], environment)
    password = next(word for line in made.stdout.splitlines() for word in line.split()[-1:])
    is_now(identity_provider, "ada", **claims("ml-deciders"))

    sign_in(page, address, "ada")
    assert page.url == f"{address}/admin/versioning/event/"

    page.context.clear_cookies()
    page.goto(f"{address}/admin/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", password.strip("."))
    page.click("button[type=submit]")
    page.wait_for_url(f"{address}/admin/auth/user/second-factor/**", wait_until="load")
    assert "Set up your second factor" in page.content()
