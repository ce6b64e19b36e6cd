"""The provider's row: what staff may write, and what becomes of it."""

from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from providers.models import Provider
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.providers.conftest import NOW

pytestmark = pytest.mark.django_db  # the constraints are checked by the database


def provider(**values: Any) -> Provider:
    return Provider(**{"slug": "one", "name": "One", "kind": "openai", **values})


def released(**values: Any) -> Provider:
    """Return one whose key somebody has released for its address."""
    row = provider(**values)
    row.release_key()
    return row


def problems(**values: Any) -> dict[str, list[str]]:
    """Return the messages by field, none where the row is fine."""
    try:
        provider(**values).full_clean(validate_unique=False)
    except ValidationError as error:
        return error.message_dict
    return {}


@pytest.mark.parametrize(
    "base_url",
    ["", "https://api.example.com/v1", "http://127.0.0.1:8000/v1", "http://[::1]:8000/v1"],
)
def test_an_address_may_be(base_url: str) -> None:
    assert problems(base_url=base_url) == {}


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("api.example.com", "http://"),
        ("ftp://api.example.com", "http://"),
        ("https://", "http://"),
        ("https://user:pass@api.example.com", "user and password"),
        ("https://api.example.com/v1?key=1", "options"),
        ("https://api.example.com:99999999", "not an address"),
        ("https://[::1", "not an address"),
        ("file:///etc/passwd", "http://"),
    ],
)
def test_an_address_may_not_be(base_url: str, says: str) -> None:
    assert says in problems(base_url=base_url)["base_url"][0]


def test_retirement_dates_may_come_from_a_file() -> None:
    inside = f"file://{settings.HOTSWAP['FILES_DIR']}/dates.json"
    assert problems(kind="retirements", base_url=inside) == {}
    assert "base_url" in problems(kind="retirements", base_url="file://host/dates.json")


@pytest.mark.parametrize(
    "path",
    [
        "/proc/self/fd/1",
        "/etc/passwd",
        "/etc/none",
        "/x%00",
        "/dev/zero",
        "/",
        "",
        "/a%0Ab",
        "/%FF",
    ],
)
def test_what_is_outside_of_the_folder_is_refused_in_one_sentence(path: str) -> None:
    folder = settings.HOTSWAP["FILES_DIR"]
    sentence = f"Write a file in {folder}, as file://{folder}/name."
    for address in (
        f"file://{path}",
        f"file://{folder}/..{path}",
        f"file://{folder}/a/../..{path}",
    ):
        assert problems(kind="retirements", base_url=address) == {"base_url": [sentence]}


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200", "0.0.0.0",  # noqa: S104
     "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "224.0.0.1"],
)  # fmt: skip
def test_the_machines_surroundings_are_no_provider(host: str) -> None:
    for field in (
        {"base_url": f"http://{host}/v1"},
        {"options": {"runtime_url": f"http://{host}"}},
    ):
        assert set(problems(**field)) == {next(iter(field))}


def test_a_kind_without_a_public_address_needs_one() -> None:
    assert "set the base URL" in problems(kind="azure")["base_url"][0]
    assert problems(kind="genai_prices") == {}


def test_an_unknown_kind_is_said_to_be_one() -> None:
    assert problems(kind="telegraph")["kind"]


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "GROQ_API_KEY", "A_KEY", "ACME_KEY2", ""])
def test_a_variable_may_be_named(name: str) -> None:
    assert problems(api_key_env=name) == {}


@pytest.mark.parametrize(
    "value",
    ["sk-proj-abc", "gsk_abc123", "hf_abcDEF", "AKIAIOSFODNN7EXAMPLE", "my key", "2KEY", "$KEY",
     "0123456789ABCDEF0123456789ABCDEF", "ABCDEF0123456789ABCDEF0123456789"],
)  # fmt: skip
def test_a_key_in_place_of_its_variable_is_refused_unsaid(value: str) -> None:
    (message,) = problems(api_key_env=value)["api_key_env"]
    assert "never the key itself" in message
    assert value not in message


@pytest.mark.parametrize("options", [{"region": 1}, ["region"], {"a": None}])
def test_options_are_pairs_of_texts(options: Any) -> None:
    assert "pairs of texts" in problems(options=options)["options"][0]


def test_options_hold_no_keys() -> None:
    assert "environment" in problems(options={"api_key": "x"})["options"][0]
    assert problems(options={"access_key_id_env": "ID", "region": "eu-central-1"}) == {}


@pytest.mark.parametrize("seconds", [0, 3601])
def test_a_time_limit_has_bounds(seconds: int) -> None:
    assert "timeout_seconds" in problems(timeout_seconds=seconds)


def test_the_database_keeps_the_bounds_too() -> None:
    with pytest.raises(IntegrityError):
        provider(timeout_seconds=0).save()


def test_each_change_is_kept_in_the_history() -> None:
    row = provider()
    row.save()
    row.enabled = False
    row.save()
    assert [step.enabled for step in row.history.order_by("history_id")] == [True, False]


def test_the_key_is_read_from_the_environment_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    row = released(api_key_env="A_KEY", timeout_seconds=9, options={"region": "x"})
    assert row.connection().api_key == ""
    monkeypatch.setenv("A_KEY", " secret\n")
    connection = row.connection()
    assert connection.api_key == "secret"
    assert connection.base_url == "https://api.openai.com/v1"
    assert (connection.timeout_s, connection.options) == (9, {"region": "x"})


def test_a_good_connection_says_how_many_models(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", KEY)
    row = released(base_url=sim.base_url("openai"), api_key_env="A_KEY")
    result = row.test_connection(at=NOW)
    assert result.ok
    assert result.model_count == len(sim.models("openai"))
    assert f"It lists {result.model_count} models." in result.sentence
    assert result.ms >= 0


@pytest.mark.parametrize("key", ["wrong", "wr\nong", ""])
def test_a_bad_connection_says_what_to_do(
    key: str, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", key)
    row = released(base_url=sim.base_url("openai"), api_key_env="A_KEY")
    result = row.test_connection(at=NOW)
    assert not result.ok
    assert "A_KEY" in result.sentence


def test_a_kind_that_is_gone_is_a_bad_connection() -> None:
    result = provider(kind="telegraph").test_connection(at=NOW)
    assert (result.ok, result.model_count) == (False, 0)
    assert "telegraph" in result.sentence
