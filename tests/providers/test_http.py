"""The one way out: time, size, repeats, redirects, and the key that stays where it belongs."""

import gzip
import ipaddress
import logging
import socket
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given, strategies

from providers.base import Connection, Incompatible, Nonsense, ProviderError, Refused, Unavailable
from providers.http import Client, Limits
from providers.http.addresses import is_public, origin, problem_of_redirect
from providers.http.failures import retry_after_s, scrub
from providers.http.transport import Reply
from tests.providers.conftest import TIGHT, ScriptedServer, answer, in_turn

KEY = "sk-live-0123456789"


@pytest.fixture(autouse=True)
def no_pauses() -> None:
    """Pauses are what is tested here; ``client`` notes them and makes none."""


def client(url: str, *, key: str = "", sleeps: list[float] | None = None, **more: Any) -> Client:
    pauses = [] if sleeps is None else sleeps
    return Client(
        Connection(url, api_key=key, key_variable="A_KEY"),
        secret_headers={"Authorization": f"Bearer {key}"},
        sleep=pauses.append,
        **{"limits": TIGHT, **more},
    )


def drip(handler: BaseHTTPRequestHandler, head: bytes, byte: bytes) -> None:
    """Write the head, then one byte now and then: below every read time-out."""
    handler.close_connection = True
    handler.wfile.write(head)
    for _ in range(100):
        handler.wfile.write(byte)
        time.sleep(0.05)


class TestTime:
    def test_a_body_that_drips_ends_at_the_deadline(self, server: ScriptedServer) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        server.script = lambda handler: drip(handler, head, b" ")
        started = time.monotonic()
        with pytest.raises(Unavailable, match="within 1 s"):
            client(server.url).get("models")
        assert time.monotonic() - started < 1.5

    def test_headers_that_drip_end_at_the_deadline(self, server: ScriptedServer) -> None:
        server.script = lambda handler: drip(handler, b"HTTP/1.1 200 OK\r\nX-A: ", b"a")
        started = time.monotonic()
        with pytest.raises(Unavailable):
            client(server.url).get("models")
        assert time.monotonic() - started < 1.5

    def test_chunks_that_drip_end_at_the_deadline(self, server: ScriptedServer) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        server.script = lambda handler: drip(handler, head, b"1\r\n \r\n")
        with pytest.raises(Unavailable):
            client(server.url).get("models")

    def test_a_silent_server_ends_at_the_read_time_out(self, server: ScriptedServer) -> None:
        server.script = lambda handler: time.sleep(0.6)
        with pytest.raises(Unavailable, match="did not answer in time"):
            client(server.url, limits=Limits(1, 0.1, 5, 1000)).get("models")
        assert len(server.seen) == 3

    def test_a_chat_may_take_longer_than_a_listing(self, server: ScriptedServer) -> None:
        def late(handler: BaseHTTPRequestHandler) -> None:
            time.sleep(0.5)
            answer({"late": True})(handler)

        server.script = late
        assert client(server.url).post("chat", {}, timeout_s=5).json == {"late": True}

    def test_a_provider_may_have_a_limit_of_its_own(self, server: ScriptedServer) -> None:
        server.script = lambda handler: time.sleep(0.5)
        connection = Connection(server.url, timeout_s=0.2)
        started = time.monotonic()
        with pytest.raises(Unavailable):
            Client(connection).get("models")
        assert time.monotonic() - started < 0.45

    def test_pauses_never_pass_the_deadline(self, server: ScriptedServer) -> None:
        server.script = answer({}, 503, Retry_After="30")
        sleeps: list[float] = []
        with pytest.raises(Unavailable):
            client(server.url, sleeps=sleeps).get("models")
        assert sleeps == []

    def test_limits_come_from_the_settings(self) -> None:
        ours = {
            "HTTP_CONNECT_SECONDS": 1,
            "HTTP_READ_SECONDS": 2,
            "HTTP_TOTAL_SECONDS": 3,
            "HTTP_MAX_BYTES": 4,
        }
        with override_settings(HOTSWAP=ours):
            assert Limits.from_settings() == Limits(1, 2, 3, 4)


class TestSize:
    def test_a_large_body_is_not_read(self, server: ScriptedServer) -> None:
        server.script = answer(b" " * (TIGHT.max_bytes + 1))
        with pytest.raises(Nonsense, match="larger than 100,000 bytes"):
            client(server.url).get("models")

    def test_a_gzip_bomb_stays_small_in_memory(self, server: ScriptedServer) -> None:
        bomb = gzip.compress(b" " * 200_000_000, 9)
        server.script = answer(bomb, Content_Encoding="gzip")
        tracemalloc.start()
        with pytest.raises(Nonsense, match="larger"):
            client(server.url).get("models")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000

    def test_a_compressed_body_is_read(self, server: ScriptedServer) -> None:
        server.script = answer(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
        assert client(server.url).get("models").json == {"a": 1}

    def test_a_broken_compression_is_no_answer(self, server: ScriptedServer) -> None:
        server.script = answer(b"not gzip", Content_Encoding="gzip")
        with pytest.raises(Unavailable):
            client(server.url).get("models")

    def test_a_body_that_breaks_off_is_no_answer(self, server: ScriptedServer) -> None:
        server.script = answer(b"{}", Content_Length="100")

        def cut(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a": 1}')
            handler.close_connection = True

        server.script = cut
        with pytest.raises(Unavailable, match="broke"):
            client(server.url).get("models")

    def test_chunks_that_break_off_are_no_answer(self, server: ScriptedServer) -> None:
        def cut(handler: BaseHTTPRequestHandler) -> None:
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            handler.wfile.write(head + b'8\r\n{"a": 1}\r\n')
            handler.close_connection = True

        server.script = cut
        with pytest.raises(Unavailable, match="broke"):
            client(server.url).get("models")


class TestJSON:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b'{"a": NaN}', b"[Infinity]", b"[" * 100_000, b"\xff\xfe\xfa", b"1" * 5000],
    )
    def test_what_is_not_json_is_nonsense(self, body: bytes, server: ScriptedServer) -> None:
        server.script = answer(body)
        with pytest.raises(Nonsense, match="not JSON"):
            client(server.url).get("models")

    def test_a_web_page_is_said_to_be_one(self, server: ScriptedServer) -> None:
        page = b"\n<!DOCTYPE html><title>Sign\x07 in &amp; go</title>"
        server.script = answer(page, Content_Type="text/html")
        with pytest.raises(Nonsense, match=r"web page.*check the base URL.*Sign in & go"):
            client(server.url).get("models")

    def test_a_request_that_can_t_be_json_is_refused_here(self, server: ScriptedServer) -> None:
        with pytest.raises(Nonsense, match="can't be written as JSON"):
            client(server.url).post("chat", {"temperature": float("nan")})
        assert server.seen == []


class TestErrors:
    @pytest.mark.parametrize("status", [401, 403])
    def test_a_bad_key_names_its_variable(self, status: int, server: ScriptedServer) -> None:
        server.script = answer({"error": {"message": "no"}}, status)
        with pytest.raises(Refused, match=r"missing, wrong or expired.*A_KEY.*It says: no"):
            client(server.url, key=KEY).get("models")

    @pytest.mark.parametrize(
        "said", ["API key not valid. Please pass a valid API key.", "Incorrect API key provided"]
    )
    def test_gemini_and_xai_say_400_for_a_bad_key(self, said: str, server: ScriptedServer) -> None:
        server.script = answer({"error": {"message": said}}, 400)
        with pytest.raises(Refused):
            client(server.url, key=KEY).get("models")

    def test_no_credit_is_refused(self, server: ScriptedServer) -> None:
        server.script = answer({"error": {"message": "Insufficient credits"}}, 402)
        with pytest.raises(Refused, match="add credit"):
            client(server.url).post("chat", {})

    @pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
    def test_busy_or_broken_is_unavailable(self, status: int, server: ScriptedServer) -> None:
        server.script = answer({}, status)
        with pytest.raises(Unavailable, match=f"{status}"):
            client(server.url).get("models")

    def test_an_unknown_address_says_to_check_the_base_url(self, server: ScriptedServer) -> None:
        server.script = answer({"detail": "Not Found"}, 404)
        with pytest.raises(Nonsense, match="base URL"):
            client(server.url).get("models")

    @pytest.mark.parametrize("status", [400, 404, 413, 422])
    def test_a_chat_that_can_t_be_done_is_incompatible(
        self, status: int, server: ScriptedServer
    ) -> None:
        server.script = answer({"error": {"message": "max_tokens is too large"}}, status)
        with pytest.raises(Incompatible, match="max_tokens is too large"):
            client(server.url).post("chat", {})

    @pytest.mark.parametrize(
        "body",
        [
            {"error": {"message": "Said.", "type": "invalid_request_error", "code": None}},
            {"type": "error", "error": {"type": "overloaded_error", "message": "Said."}},
            {"error": {"code": 400, "message": "Said.", "status": "INVALID_ARGUMENT"}},
            [{"error": {"code": 400, "message": "Said."}}],
            {"message": "Said.", "request_id": "1"},
            {"Message": "Said."},
            {"detail": [{"loc": ["body"], "msg": "Said.", "type": "missing"}]},
            {"error": "Said."},
            "Said.",
        ],
    )
    def test_the_message_is_found_in_every_shape(self, body: Any, server: ScriptedServer) -> None:
        server.script = answer(body, 422)
        with pytest.raises(Incompatible, match=r"It says: Said\.$"):
            client(server.url).post("chat", {})

    def test_a_message_is_cut_and_cleaned(self, server: ScriptedServer) -> None:
        server.script = answer({"error": "a\x00b\x1b[31m\r\nc" + "x" * 5000}, 500)
        with pytest.raises(Unavailable) as caught:
            client(server.url).get("models")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 500

    def test_a_web_page_behind_an_error_gives_its_title(self, server: ScriptedServer) -> None:
        server.script = answer(b"<html><title>502 Bad Gateway</title></html>", 502)
        with pytest.raises(Unavailable, match="502 Bad Gateway"):
            client(server.url).get("models")

    def test_a_server_that_is_down_can_t_be_reached(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with pytest.raises(Unavailable, match="can't be reached"):
            client(f"http://127.0.0.1:{port}").get("models")

    def test_a_content_filter_is_marked(self, server: ScriptedServer) -> None:
        server.script = answer({"error": {"code": "content_filter", "message": "Hm."}}, 400)
        with pytest.raises(Incompatible) as caught:
            client(server.url).post("chat", {})
        assert caught.value.is_content_refusal


class TestRepeats:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """No pause is too long for the deadline."""
        monkeypatch.setattr("providers.http.client.BACKOFF_S", 0.0)

    def test_a_listing_is_asked_three_times(self, server: ScriptedServer) -> None:
        server.script = answer({}, 500)
        with pytest.raises(Unavailable):
            client(server.url).get("models")
        assert len(server.seen) == 3

    def test_the_second_answer_may_be_good(self, server: ScriptedServer) -> None:
        server.script = in_turn(answer({}, 503), answer({"ok": True}))
        got = client(server.url).get("models")
        assert got.json == {"ok": True}
        assert got.attempts == 2

    @pytest.mark.parametrize("status", [400, 401, 404, 501])
    def test_what_will_not_change_is_asked_once(self, status: int, server: ScriptedServer) -> None:
        server.script = answer({}, status)
        with pytest.raises(ProviderError):
            client(server.url).get("models")
        assert len(server.seen) == 1

    def test_a_chat_is_sent_once(self, server: ScriptedServer) -> None:
        server.script = answer({}, 429, Retry_After="0")
        with pytest.raises(Unavailable):
            client(server.url).post("chat", {})
        assert len(server.seen) == 1

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_safe_chat_is_sent_again_when_told_to_wait(
        self, status: int, server: ScriptedServer
    ) -> None:
        server.script = in_turn(answer({}, status, Retry_After="0"), answer({"ok": True}))
        assert client(server.url).post("chat", {}, safe_to_repeat=True).attempts == 2

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_a_chat_that_may_have_begun_is_never_sent_again(
        self, status: int, server: ScriptedServer
    ) -> None:
        server.script = answer({}, status)
        with pytest.raises(Unavailable):
            client(server.url).post("chat", {}, safe_to_repeat=True)
        assert len(server.seen) == 1

    def test_a_chat_that_broke_off_is_never_sent_again(self, server: ScriptedServer) -> None:
        def hang_up(handler: BaseHTTPRequestHandler) -> None:
            handler.close_connection = True

        server.script = hang_up
        with pytest.raises(Unavailable):
            client(server.url).post("chat", {}, safe_to_repeat=True)
        assert len(server.seen) == 1

    def test_a_safe_chat_waits_for_a_server_that_starts(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        sleeps: list[float] = []
        with pytest.raises(Unavailable):
            client(f"http://127.0.0.1:{port}", sleeps=sleeps).post("c", {}, safe_to_repeat=True)
        assert len(sleeps) == 2


class TestRetryAfter:
    def pauses(self, server: ScriptedServer, told: str, **limits: float) -> list[float]:
        server.script = in_turn(answer({}, 429, Retry_After=told), answer({}))
        roomy = Limits(connect_s=1, read_s=1, total_s=limits.get("total_s", 200), max_bytes=1000)
        sleeps: list[float] = []
        client(server.url, sleeps=sleeps, limits=roomy).get("models")
        return sleeps

    def test_seconds_are_waited_for(self, server: ScriptedServer) -> None:
        (pause,) = self.pauses(server, "7")
        assert 7 <= pause < 8

    def test_a_date_is_waited_for(self, server: ScriptedServer) -> None:
        told = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
        (pause,) = self.pauses(server, told)
        assert 15 < pause < 22

    def test_a_date_that_has_passed_is_no_wait(self, server: ScriptedServer) -> None:
        (pause,) = self.pauses(server, "Wed, 01 Jan 2020 00:00:00 GMT")
        assert pause < 1

    @pytest.mark.parametrize("told", ["-5", "soon", "nan", "inf", "1e999", ""])
    def test_what_can_t_be_read_is_an_ordinary_pause(
        self, told: str, server: ScriptedServer
    ) -> None:
        (pause,) = self.pauses(server, told)
        assert 0 <= pause <= 1

    def test_a_date_is_held_against_that_of_the_answer(self) -> None:
        """This machine's clock may be off by years, and the provider's beside it."""
        headers = {
            "retry-after": "Fri, 01 Mar 2019 10:00:07 GMT",
            "date": "Fri, 01 Mar 2019 10:00:00 GMT",
        }
        reply = Reply(status=429, headers=headers, body=b"", elapsed_ms=1.0)
        assert retry_after_s(reply) == 7

    @pytest.mark.parametrize("told", ["3600", "99999999999999"])
    def test_a_long_wait_is_reported_and_bounded(self, told: str, server: ScriptedServer) -> None:
        server.script = answer({}, 429, Retry_After=told)
        sleeps: list[float] = []
        with pytest.raises(Unavailable) as caught:
            client(server.url, sleeps=sleeps).get("models")
        assert sleeps == []
        assert caught.value.retry_after_s is not None
        assert 3600 <= caught.value.retry_after_s <= 24 * 3600


class TestRedirects:
    def test_the_same_host_keeps_the_key(self, server: ScriptedServer) -> None:
        moved = answer(b"", 301, Location="/v2/models")
        server.script = in_turn(moved, answer({"ok": True}))
        assert client(server.url, key=KEY).get("models").json == {"ok": True}
        assert [seen["path"] for seen in server.seen] == ["/models", "/v2/models"]
        assert all(KEY in seen["authorization"] for seen in server.seen)

    def test_another_host_never_sees_the_key(
        self, server: ScriptedServer, other_server: ScriptedServer
    ) -> None:
        server.script = answer(b"", 302, Location=f"{other_server.url}/models")
        other_server.script = answer({"ok": True})
        client(server.url, key=KEY).get("models")
        (seen,) = other_server.seen
        assert "authorization" not in seen
        assert KEY not in str(seen)

    def test_coming_back_brings_the_key_back(
        self, server: ScriptedServer, other_server: ScriptedServer
    ) -> None:
        there = answer(b"", 302, Location=f"{other_server.url}/x")
        server.script = in_turn(there, answer({"ok": True}))
        other_server.script = answer(b"", 302, Location=f"{server.url}/models")
        assert client(server.url, key=KEY).get("models").json == {"ok": True}

    def test_a_circle_ends(self, server: ScriptedServer) -> None:
        server.script = in_turn(*[answer(b"", 302, Location=f"/{n}") for n in range(50)])
        with pytest.raises(Nonsense, match="circle"):
            client(server.url).get("models")
        assert len(server.seen) == 4

    @pytest.mark.parametrize("target", ["", "ftp://example.com/x", "file:///etc/passwd"])
    def test_nowhere_is_not_followed(self, target: str, server: ScriptedServer) -> None:
        server.script = answer(b"", 302, Location=target)
        with pytest.raises(Nonsense, match="nowhere"):
            client(server.url).get("models")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_prompt_never_goes_to_another_host(
        self, status: int, server: ScriptedServer, other_server: ScriptedServer
    ) -> None:
        server.script = answer(b"", status, Location=f"{other_server.url}/chat")
        with pytest.raises(Nonsense, match="set this as the base URL"):
            client(server.url, key=KEY).post("chat", {"prompt": "secret"})
        assert other_server.seen == []

    def test_the_next_page_of_another_host_is_not_asked(
        self, server: ScriptedServer, other_server: ScriptedServer
    ) -> None:
        with pytest.raises(Nonsense, match="another host"):
            client(server.url, key=KEY).get(f"{other_server.url}/models?page=2")
        assert other_server.seen == []


class TestPlacesThatAreNeverAsked:
    @pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "::ffff:169.254.1.1"])
    def test_a_name_that_leads_there_is_not_connected_to(
        self, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the name stood for before: the address that is connected to is looked at."""
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 80))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(Nonsense, match="never asked"):
            client("http://innocent.example").get("models")

    def test_a_redirect_there_is_not_followed(self, server: ScriptedServer) -> None:
        server.script = answer(b"", 302, Location="http://169.254.169.254/latest/meta-data/")
        with pytest.raises(Nonsense, match="never asked"):
            client(server.url).get("models")

    def test_from_the_internet_no_redirect_leads_home(
        self, server: ScriptedServer, other_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.script = answer(b"", 302, Location=f"{other_server.url}/models")
        for name in ("stands_in_public", "may_stand_in_public"):
            monkeypatch.setattr(
                f"providers.http.client.{name}", lambda url, **_: url.startswith(server.url)
            )
        with pytest.raises(Nonsense, match="private address"):
            client(server.url).get("models")
        assert other_server.seen == []

    @pytest.mark.parametrize("found", [["192.88.98.7", "127.0.0.1"], []])
    def test_nor_from_a_name_that_may_be_of_it(
        self,
        found: list[str],
        server: ScriptedServer,
        other_server: ScriptedServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Its name server says another address beside, or nothing at all once it was asked."""
        port = int(server.url.rsplit(":", 1)[1].split("/")[0])
        server.script = answer(b"", 302, Location=f"{other_server.url}/models")
        asked, plain = list[str](), socket.getaddrinfo

        def turning(host: str, *more: Any, **named: Any) -> Any:
            if host != "turning.example":
                return plain(host, *more, **named)
            asked.append(host)
            said = ["127.0.0.1"] if len(asked) == 1 else found
            if not said:
                raise socket.gaierror("gone")
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (each, port)) for each in said]

        monkeypatch.setattr(socket, "getaddrinfo", turning)
        with pytest.raises(Nonsense, match="private address"):
            client(f"http://turning.example:{port}").get("models")
        assert other_server.seen == []

    def test_nor_does_a_name_that_changes_its_mind(
        self, server: ScriptedServer, other_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It stood for a public address when it was asked about, and for ours when connected to."""
        server.script = answer(b"", 302, Location=f"{other_server.url}/models")
        for name in ("stands_in_public", "may_stand_in_public"):
            monkeypatch.setattr(f"providers.http.client.{name}", lambda url, **_: True)
        with pytest.raises(Nonsense, match="private address"):
            client(server.url).get("models")
        assert other_server.seen == []

    @pytest.mark.parametrize(
        ("address", "public"),
        [("8.8.8.8", True), ("10.0.0.1", False), ("127.0.0.1", False), ("::1", False),
         ("fd12::1", False), ("::ffff:10.0.0.1", False), ("2002:0a00:0001::", False)],
    )  # fmt: skip
    def test_what_is_of_the_internet(self, address: str, public: bool) -> None:
        assert is_public(ipaddress.ip_address(address)) is public


def test_a_part_is_no_whole_list(server: ScriptedServer) -> None:
    server.script = answer({"data": [{"id": "zeta-1"}]}, 206)
    with pytest.raises(Nonsense, match="206"):
        client(server.url).get("models")


SECRETS = strategies.text(strategies.characters(codec="ascii", categories=["L", "N"]), min_size=8)


@given(secret=SECRETS, before=strategies.text(), after=strategies.text(), data=strategies.data())
def test_no_run_of_eight_of_a_secret_is_told(
    secret: str, before: str, after: str, data: strategies.DataObject
) -> None:
    start = data.draw(strategies.integers(0, len(secret) - 8))
    end = data.draw(strategies.integers(start + 8, len(secret)))
    connection = data.draw(
        strategies.sampled_from(
            [Connection("http://x", secret), Connection("http://x", other_secrets=(secret,))]
        )
    )
    told = scrub(before[:40] + secret[start:end] + after[:40], connection).lower()
    parts = {secret.lower()[at : at + 8] for at in range(len(secret) - 7)}
    assert not any(part in told for part in parts)


class TestSecrets:
    def test_an_echoed_key_is_scrubbed(
        self, server: ScriptedServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        key = "sk/secret+key=1"
        server.script = answer(
            {"error": f"bad {key} sk%2Fsecret%2Bkey%3D1 sk/secret%2Bkey%3D1"}, 401
        )
        with pytest.raises(Refused) as caught:
            client(server.url, key=key).get("models")
        assert "secret" not in str(caught.value) + caplog.text

    def test_a_key_at_the_cut_is_scrubbed_before_it(self, server: ScriptedServer) -> None:
        server.script = answer({"error": "x" * 290 + KEY}, 500)
        with pytest.raises(Unavailable) as caught:
            client(server.url, key=KEY).get("models")
        assert "sk-" not in str(caught.value)

    @pytest.mark.parametrize("key", ["two\nlines", "czech-č"])
    def test_a_key_that_can_t_be_one_is_refused_unsaid(self, key: str) -> None:
        with pytest.raises(Refused, match="A_KEY") as caught:
            client("http://127.0.0.1:1", key=key)
        assert key not in str(caught.value)

    def test_no_password_is_taken_from_netrc(
        self, server: ScriptedServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "netrc"
        file.write_text("machine 127.0.0.1 login me password hidden\n")
        file.chmod(0o600)
        monkeypatch.setenv("NETRC", str(file))
        server.script = answer({})
        client(server.url).get("models")
        assert "authorization" not in server.seen[0]

    def test_cookies_are_not_kept(self, server: ScriptedServer) -> None:
        server.script = answer({}, Set_Cookie="session=1")
        asked = client(server.url)
        asked.get("models")
        asked.get("models")
        assert "cookie" not in server.seen[1]


class TestConditional:
    def test_an_unchanged_document_comes_from_memory(self, server: ScriptedServer) -> None:
        server.script = in_turn(answer({"n": 1}, ETag='"a"'), answer(b"", 304, ETag='"a"'))
        asked = client(server.url)
        assert asked.get("api.json", conditional=True).json == {"n": 1}
        assert asked.get("api.json", conditional=True).json == {"n": 1}
        assert server.seen[1]["if-none-match"] == '"a"'

    def test_a_changed_document_replaces_it(self, server: ScriptedServer) -> None:
        first, second = answer({"n": 1}, ETag='"a"'), answer({"n": 2}, ETag='"b"')
        server.script = in_turn(first, second, answer(b"", 304))
        asked = client(server.url)
        assert [asked.get("a", conditional=True).json["n"] for _ in range(3)] == [1, 2, 2]
        assert server.seen[2]["if-none-match"] == '"b"'

    def test_a_document_out_of_shape_is_not_kept(self, server: ScriptedServer) -> None:
        server.script = in_turn(answer(b"<html>", ETag='"a"'), answer({"n": 1}))
        asked = client(server.url)
        with pytest.raises(Nonsense):
            asked.get("b", conditional=True)
        asked.get("b", conditional=True)
        assert "if-none-match" not in server.seen[1]


def test_threads_share_a_client(server: ScriptedServer) -> None:
    server.script = answer({"ok": True})
    asked = client(server.url)
    got: list[Any] = []
    threads = [
        threading.Thread(target=lambda: got.append(asked.get("models").json)) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [{"ok": True}] * 20


def test_the_port_that_goes_unsaid_is_the_same_place() -> None:
    assert origin("https://a.example/x") == origin("https://A.example:443/y")
    assert origin("https://a.example") != origin("http://a.example:443")
    assert origin("https://a.example:99999")[2] == -1


@pytest.mark.parametrize(
    ("method", "status", "target", "problem"),
    [
        ("GET", 302, "https://other.example/x", ""),
        ("GET", 302, "http://api.example/x", "plain http"),
        ("POST", 308, "https://api.example/v2", ""),
        ("POST", 302, "https://api.example/v2", "base URL"),
        ("POST", 307, "https://other.example/v2", "base URL"),
    ],
)
def test_which_redirects_are_followed(method: str, status: int, target: str, problem: str) -> None:
    found = problem_of_redirect(method, status, "https://api.example/v1", target)
    assert (problem in found) if problem else (found == "")
