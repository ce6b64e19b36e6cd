"""What a server that runs as it ships says in its answers: headers, cookies, and what is left."""

import http.client
import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.config.conftest import DATABASE, Migrated, Start, embedded, run, start, wait_until
from tests.ports import free_port

__all__ = ["start"]
MOST = 5


def test_its_answers_are_closed_and_say_what_is_left(
    tmp_path: Path,
    start: Start,
    migrated: Migrated,  # noqa: F811
) -> None:
    """As behind a proxy that ends HTTPS: headers on each, quotas by key, and what to wait for."""
    folder = tmp_path / "data"
    folder.mkdir()
    migrated(folder / DATABASE)
    environment = embedded(
        folder,
        BEHIND_HTTPS="true",
        ALLOWED_HOSTS="hotswap.example.com",
        HOTSWAP_KEY_REQUESTS_A_MINUTE=str(MOST),
    )
    for command in (["prepare"], ["create_api_key", "till", "--scope", "read"]):
        done = run([sys.executable, "manage.py", *command], environment)
        assert done.returncode == 0, done.stderr
    key = done.stdout.strip()
    port = free_port()
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--no-control-socket"]
    start([sys.executable, "-m", "gunicorn", "config.wsgi", *bind], environment, tmp_path / "log")

    def ask(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        proxied = {"Host": "hotswap.example.com", "X-Forwarded-Proto": "https", **headers}
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", path, headers=proxied)
            answer = connection.getresponse()
            return answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read()

    def is_up() -> Any:
        try:
            return ask("/livez")[0] == 200
        except OSError:
            return False

    wait_until(is_up, "The server")

    for path in ("/admin/login/", "/admin/", "/api/docs", "/api/providers", "/nothing", "/livez"):
        _, headers, _ = ask(path)
        assert "'unsafe-inline'" not in headers["content-security-policy"], path
        assert ("'unsafe-eval'" in headers["content-security-policy"]) == path.startswith("/admin")
        assert headers["strict-transport-security"] == "max-age=31536000", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert headers["x-request-id"], path
    _, headers, _ = ask("/admin/login/")
    assert "Secure" in headers["set-cookie"]
    status, headers, _ = ask("/admin/login/", **{"X-Forwarded-Proto": "http"})
    assert (status, headers["location"]) == (301, "https://hotswap.example.com/admin/login/")

    bearer = {"Authorization": f"Bearer {key}"}
    left = []
    for _ in range(MOST):
        status, headers, _ = ask("/api/providers", **bearer)
        assert status == 200
        assert headers["ratelimit-policy"] == f'"key";q={MOST};w=60'
        left.append(int(headers["ratelimit"].split("r=")[1].split(";")[0]))
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0
    status, headers, body = ask("/api/providers", **bearer)
    assert status == 429
    assert 1 <= int(headers["retry-after"]) <= 60
    assert headers["ratelimit"].startswith('"key";r=0;')
    assert json.loads(body)["code"] == "too-many-requests"
