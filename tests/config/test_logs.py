"""What is logged: as JSON by setting, with the request's id through to tasks, and no secret."""

import io
import json
import logging
import logging.config
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import shared_task
from django.conf import settings
from django.test import Client

from config import logs
from config.celery import app
from tests.config.conftest import embedded, run
from tests.factories import ApiKeyFactory, UserFactory
from versioning.services.threads import ThreadPool

pytestmark = pytest.mark.django_db


@shared_task(name="tests.say")
def say(text: str) -> None:
    logging.getLogger("tests.task").warning("Said %s", text)


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """All that is logged, as LOG_FORMAT=json and LOG_LEVEL=DEBUG write it."""
    written = io.StringIO()
    config = settings.LOGGING
    console = config["handlers"]["console"] | {"formatter": "json", "stream": written}
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logging.config.dictConfig(
        config | {"handlers": {"console": console}, "root": config["root"] | {"level": "DEBUG"}}
    )
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def test_each_line_is_an_object_with_the_id_of_its_request(lines: Lines) -> None:
    Client().get("/api/none", headers={"X-Request-ID": "mine-1"})
    found = [line for line in lines() if line["logger"] == "django.request"]
    assert found
    assert {line["request_id"] for line in found} == {"mine-1"}
    assert set(found[0]) >= {"at", "level", "logger", "message", "request_id", "process"}


def test_outside_of_a_request_there_is_none(lines: Lines) -> None:
    Client().get("/livez", headers={"X-Request-ID": "mine-2"})
    logging.getLogger("tests").warning("Alone.")
    assert [line["request_id"] for line in lines() if line["message"] == "Alone."] == [""]


def test_the_id_goes_with_a_message_to_the_worker_and_ends_with_its_task(lines: Lines) -> None:
    token = logs._request_id.set("mine-3")
    headers: dict[str, Any] = {}
    logs.send_along(headers=headers)
    logs._request_id.reset(token)

    task = app.tasks["tests.say"]
    task.push_request(id="1", is_eager=False, **headers)
    try:
        logs.take_up(task=task)
        task.run("one")
        logs.put_down(task=task)
        task.run("two")
    finally:
        task.pop_request()

    said = {line["message"]: line["request_id"] for line in lines() if "Said" in line["message"]}
    assert said == {"Said one": "mine-3", "Said two": ""}


def test_several_who_are_asked_at_once_are_asked_for_the_request(lines: Lines) -> None:
    token = logs._request_id.set("mine-4")
    try:
        with ThreadPool(max_workers=2) as pool:
            list(pool.map(logging.getLogger("tests").warning, ["Asked one", "Asked two"]))
    finally:
        logs._request_id.reset(token)

    asked = {line["request_id"] for line in lines() if line["message"].startswith("Asked")}
    assert asked == {"mine-4"}


def test_no_secret_is_logged_by_whichever_door(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ApiKeyFactory().secret
    user = UserFactory(username="ada", is_staff=True)
    user.set_password("a-password-of-ada")
    user.save()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-of-a-provider")
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {key}"})
    prompt = "what-somebody-asked-a-model"

    client.post("/admin/login/", {"username": "ada", "password": "a-password-of-ada"})
    client.post("/admin/login/", {"username": "ada", "password": "wrong-a-password-of-ada"})
    for address in ("/api/providers", "/api/none", "/metrics", "/readyz", "/admin/", "/v1/traces"):
        client.get(address)
    provider = {"slug": "r", "name": "r", "kind": "openrouter", "base_url": "http://127.0.0.1:9/v1"}
    client.post("/api/providers", provider, content_type="application/json")
    client.post("/api/checks", {}, content_type="application/json")
    broken = [{"provider": "x", "model": "y", "prompt": prompt}, {"tags": prompt}, prompt]
    client.post("/api/performance-samples", broken, content_type="application/json")
    client.post("/v1/traces", prompt, content_type="application/json")
    client.post("/api/performance-samples", prompt, content_type="application/json")

    said = json.dumps(lines())
    assert len(lines()) > 5
    for secret in (key, "a-password-of-ada", "sk-of-a-provider", prompt, settings.SECRET_KEY * 3):
        assert secret not in said


def test_a_format_that_is_not_there_stops_the_start(tmp_path: Any) -> None:
    environment = embedded(tmp_path, LOG_FORMAT="xml")
    ended = run([sys.executable, "manage.py", "check"], environment)
    assert ended.returncode == 1
    assert "LOG_FORMAT must be one of LINE, JSON" in ended.stderr
