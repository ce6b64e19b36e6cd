"""A key is made at the command line, and its secret is shown once."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from tests.versioning.api.conftest import Api
from versioning.models import ApiKey, Team

pytestmark = pytest.mark.django_db


def make(*arguments: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_what_is_printed_is_the_secret_alone() -> None:
    secret, said = make("billing")

    assert Api(secret).get("/api/checks").status_code == 200
    assert secret not in said
    assert secret not in str(ApiKey.objects.values().get())


def test_it_has_the_scopes_that_are_asked_for() -> None:
    make("billing", "--scope", "decide", "--scope", "read", "--days", "30")

    key = ApiKey.objects.get()
    assert key.scopes == ["decide", "read"]
    assert key.expires_at is not None
    assert (key.expires_at - key.created_at).days in (29, 30)


def test_it_belongs_to_the_team_that_is_named() -> None:
    team = Team.objects.create(name="checkout", group=Group.objects.create(name="checkout"))
    make("till", "--team", "checkout")
    assert ApiKey.objects.get().team == team


@pytest.mark.parametrize(
    "arguments",
    [["a", "--scope", "all"], ["a", "--days", "0"], ["a", "--team", "nobody"], ["  "], []],
)
def test_what_can_not_be_made_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        make(*arguments)
    assert not ApiKey.objects.exists()
