"""add_provider and track: a provider and a model in two lines."""

from collections.abc import Sequence

import pytest
from django.contrib.auth.models import Permission

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.versioning.management.conftest import OLD, Shell
from versioning.models import Check, Notice, TrackedModel

pytestmark = pytest.mark.django_db


def test_a_server_is_one_line_and_the_next_line_is_printed(
    shell: Shell, simulator: Simulator
) -> None:
    simulator.catalogue.add("openrouter", OLD)
    address = simulator.base_url("openrouter")

    added = shell("add_provider", "router", "--kind", "openrouter", "--base-url", address)

    assert (added.code, added.err) == (0, "")
    assert "manage.py check_providers --provider router" in added.out
    assert shell("check_providers", "--provider", "router").code == 0


def test_what_a_kind_needs_beside_an_address_is_an_option(shell: Shell) -> None:
    ended = shell(
        *("add_provider", "aws", "--kind", "bedrock", "--option", "region=eu-central-1"),
        *("--api-key-env", "AWS_SECRET_ACCESS_KEY", "--name", "Amazon"),
    )

    assert ended.code == 0, ended.err
    provider = Provider.objects.get()
    assert provider.options == {"region": "eu-central-1"}
    assert (provider.api_key_env, provider.name) == ("AWS_SECRET_ACCESS_KEY", "Amazon")


def test_a_provider_is_changed_by_what_is_given(shell: Shell) -> None:
    shell(
        *("add_provider", "gpu", "--kind", "openai", "--base-url", "http://127.0.0.1:1/v1"),
        *("--option", "catalogue=groq", "--option", "witness=look", "--name", "The GPU"),
    )
    update = ("add_provider", "gpu", "--update")

    ended = shell(*update, "--base-url", "http://127.0.0.1:2/v1", "--option", "witness=")
    assert (ended.code, ended.err) == (0, "")
    assert "Changed base_url, options of gpu" in ended.out
    provider = Provider.objects.get()
    assert (provider.base_url, provider.name) == ("http://127.0.0.1:2/v1", "The GPU")
    assert (provider.kind, provider.options) == ("openai", {"catalogue": "groq"})
    again = shell(*update, "--base-url", "http://127.0.0.1:2/v1")
    assert (again.code, again.out) == (0, "gpu is unchanged.\n")
    assert provider.history.count() == 2


def test_an_update_adds_what_is_not_there(shell: Shell) -> None:
    ended = shell("add_provider", "new", "--kind", "openrouter", "--update")
    assert ended.code == 0
    assert Provider.objects.get().slug == "new"


def test_the_variable_of_a_key_that_is_not_set_is_named_at_once(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    one = ("add_provider", "one", "--kind", "openai", "--api-key-env", "OPENAI_API_KEY")
    aws = ("add_provider", "aws", "--kind", "bedrock", "--api-key-env", "AWS_SECRET_ACCESS_KEY")
    assert "OPENAI_API_KEY is not set here: set it." in shell(*one).err
    named = shell(*aws).err
    assert "AWS_SECRET_ACCESS_KEY is not set" in named
    assert "AWS_ACCESS_KEY_ID is not set" in named
    monkeypatch.setenv("OPENAI_API_KEY", "k-1")
    assert shell(*one, "--update").err == ""


def test_what_went_wrong_outside_is_put_into_the_inbox(shell: Shell) -> None:
    for sentence in ("worker was killed.", "worker was killed again."):
        assert shell("tell_fault", "worker process", sentence).code == 0

    told = Notice.objects.open().get()
    assert (told.kind, told.subject, told.times) == ("fault", "worker process", 2)
    assert told.sentence == "worker was killed again."


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["x"], 2, "--kind"),
        (["x", "--update"], 2, "--kind"),
        (["x", "--kind", "none"], 2, "invalid choice"),
        (["x", "--kind", "openai", "--option", "region"], 2, "write NAME=VALUE, not region"),
        (["x", "--kind", "openai", "--api-key-env", "sk-abc"], 1, "never the key itself"),
        (["router", "--kind", "openai"], 1, "already exists. To change it: "),
        (["router", "--kind", "openai"], 1, "add_provider router --update"),
        (["router", "--update", "--base-url", "nowhere"], 1, "http://"),
    ],
)
def test_a_provider_that_can_not_be_added(
    shell: Shell, router: Provider, arguments: Sequence[str], code: int, says: str
) -> None:
    ended = shell("add_provider", *arguments)

    assert ended.code == code
    assert says in ended.err
    assert "sk-abc" not in ended.err
    assert Provider.objects.get() == router


def test_every_field_that_is_wrong_is_named(shell: Shell) -> None:
    ended = shell("add_provider", "a b", "--kind", "openai", "--api-key-env", "no name")

    assert ended.code == 1
    assert "slug: " in ended.err
    assert "api_key_env: " in ended.err


def test_a_model_is_tracked_by_the_end_of_its_id(shell: Shell, router: Provider) -> None:
    ended = shell("track", "router", "zeta-4-mini-20250101", "--owner", "ada@example.com")

    assert (ended.code, ended.err) == (0, "")
    assert OLD in ended.out
    tracked = TrackedModel.objects.select_related("current_version").get()
    assert (tracked.name, tracked.owner) == ("zeta-4-mini-20250101", "ada@example.com")
    assert tracked.current_version is not None
    assert tracked.current_version.upstream_id == OLD
    assert Check.objects.get().trigger == Check.Trigger.COMMAND  # it was asked for its list first


@pytest.mark.parametrize(
    ("provider", "model", "more", "says"),
    [
        ("nobody", OLD, [], "Known: router"),
        ("router", "zeta-4-mimi", [], f"Did you mean {OLD}?"),
        ("router", OLD, ["--owner", "ada"], "email"),
        ("router", OLD, ["--name", "zeta"], "already has a tracked model"),
    ],
)
def test_a_model_that_can_not_be_tracked(
    shell: Shell, router: Provider, provider: str, model: str, more: Sequence[str], says: str
) -> None:
    shell("track", "router", OLD, "--name", "zeta")

    ended = shell("track", provider, model, *more)

    assert ended.code == 1
    assert says in ended.err
    assert TrackedModel.objects.get().name == "zeta"


def test_nothing_is_tracked_while_the_provider_does_not_answer(
    shell: Shell, router: Provider, simulator: Simulator
) -> None:
    simulator.fail("openrouter", "unauthorized")

    ended = shell("track", "router", OLD)

    assert ended.code == 1
    assert "router could not be asked for its models" in ended.err
    assert not TrackedModel.objects.exists()


def test_a_start_makes_up_for_one_that_ended_before_it_came_to_permissions(shell: Shell) -> None:
    missing = Permission.objects.filter(codename="view_notice")
    missing.delete()

    ended = shell("prepare")

    assert (ended.code, ended.err) == (0, "")
    assert missing.exists()
