"""What hostile providers do, and what each must be called."""

import gzip
import itertools
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tests.providers.hostile.server import GOOD, MODEL, Behaviour, Wire, head, listing, reply

Called = Literal["unavailable", "refused", "nonsense", "partly", "believed"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hostile:
    """One behaviour: what it does, what the check must be called, and words of its sentence."""

    name: str
    behave: Behaviour
    called: Called
    says: str = ""
    """A part of the check's sentence, for what failed."""
    total_s: float = 2.0
    """The deadline that the check is given."""
    tls: bool = False
    """Is it asked by https?"""
    heavy: bool = False
    """Does it take the test itself much to behave so? Then it is asked by itself."""


def says(body: bytes, status: str = "200 OK", **headers: object) -> Behaviour:
    """Return the behaviour that answers any request with this."""
    return lambda wire: wire.send(reply(body, status, **headers))


def raw(payload: bytes) -> Behaviour:
    """Return the behaviour that answers any request with these bytes."""
    return lambda wire: wire.send(payload)


def row(**fields: Any) -> Behaviour:
    """Return the behaviour that lists one more model, with these fields."""
    return says(listing({**MODEL, "id": "acme/omega-1", **fields}))


def raw_row(text: str) -> Behaviour:
    """Return the behaviour that lists one more model, written as this text."""
    return says(json.dumps({"data": GOOD}).encode().replace(b"]}", f", {text}]}}".encode()))


def then(*acts: Callable[[Wire], object]) -> Behaviour:
    def behave(wire: Wire) -> None:
        for act in acts:
            act(wire)

    return behave


def hangs(wire: Wire) -> None:
    wire.hang()


def drips(payload: bytes) -> Behaviour:
    return lambda wire: wire.drip(payload)


def floods(part: bytes) -> Behaviour:
    return lambda wire: wire.flood(itertools.repeat(part))


def resets(wire: Wire) -> None:
    wire.reset()


def redirects(location: str, status: str = "302 Found") -> Behaviour:
    return says(b"", status, Location=location)


def chunked(*chunks: bytes) -> bytes:
    return head(Transfer_Encoding="chunked") + b"".join(
        b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks
    )


# --- bodies that are larger than they look


def bomb(*, wbits: int, times: int = 1) -> bytes:
    """Return 64 MiB of spaces, compressed, and compressed again."""
    packer = zlib.compressobj(1, zlib.DEFLATED, wbits)
    packed = b"".join(packer.compress(b" " * MIB) for _ in range(64)) + packer.flush()
    for _ in range(times - 1):
        again = zlib.compressobj(9, zlib.DEFLATED, wbits)
        packed = again.compress(packed) + again.flush()
    return packed


def compressed(encoding: str, make: Callable[[], bytes]) -> Behaviour:
    made: list[bytes] = []

    def behave(wire: Wire) -> None:
        if not made:
            made.append(make())
        wire.send(reply(made[0], Content_Encoding=encoding))

    return behave


def members(wire: Wire) -> None:
    """One small file of gzip after the other, for ever."""
    wire.send(head(Content_Encoding="gzip"))
    wire.flood(itertools.repeat(gzip.compress(b" " * 1000) * 100))


def filled(start: bytes, part: bytes, end: bytes, *, size: int) -> Behaviour:
    """Return the behaviour that lists, in one more row, as many parts as make up the size."""
    times = size // len(part)

    def behave(wire: Wire) -> None:
        wire.send(head())
        wire.send(start)
        many = max(1, MIB // len(part))
        for _ in range(times // many):
            wire.send(part * many)
        wire.send(end)

    return behave


# --- pages


def page(next_url: str, *rows: Any) -> bytes:
    return reply(json.dumps({"data": rows or GOOD, "links": {"next": next_url}}).encode())


def number_of(wire: Wire) -> int:
    return int(wire.path.partition("page=")[2] or 0)


def endless_pages(wire: Wire) -> None:
    number = number_of(wire)
    row = {**MODEL, "id": f"acme/number-{number}"}
    wire.send(page(f"models?page={number + 1}", *(GOOD if not number else [row])))


def slow_pages(wire: Wire) -> None:
    time.sleep(0.1)
    endless_pages(wire)


def large_pages(wire: Wire) -> None:
    rows = [{**MODEL, "description": "x" * MIB, "id": f"acme/{number_of(wire)}"}] * 7
    wire.send(page(f"models?page={number_of(wire) + 1}", *rows))


def breaks_on_second_page(wire: Wire) -> None:
    if number_of(wire):
        wire.send(reply(b"", "500 Internal Server Error"))
    else:
        wire.send(page("models?page=1"))


def lists_less_on_second_page(wire: Wire) -> None:
    wire.send(page("", "not an object") if number_of(wire) else page("models?page=1"))


def circle_of_two(wire: Wire) -> None:
    wire.send(page(f"models?page={(number_of(wire) + 1) % 2 + 1}"))


def next_page_at(url: str) -> Behaviour:
    return lambda wire: wire.send(page(url))


def redirects_round(wire: Wire) -> None:
    there = "/v1/b" if wire.path.endswith("/a") else "/v1/a"
    wire.send(reply(b"", "302 Found", Location=there))


def redirects_on(wire: Wire) -> None:
    number = int(wire.path.rpartition("/")[2]) if wire.path[-1].isdigit() else 0
    wire.send(reply(b"", "302 Found", Location=f"/v1/{number + 1}"))


def deep(depth: int) -> bytes:
    return b'{"data": ' + b"[" * depth + b"]" * depth + b"}"


def busy(retry_after: str, status: str = "429 Too Many Requests") -> Behaviour:
    return says(b'{"error": {"message": "Slow down."}}', status, Retry_After=retry_after)


def _time() -> Iterator[Hostile]:
    late = "no whole answer within 0.6 s"
    yield Hostile(
        "drips a body", then(raw(head()), drips(b" " * 200)), "unavailable", late, total_s=0.6
    )
    yield Hostile("drips headers", drips(head(X="x" * 200)), "unavailable", late, total_s=0.6)
    yield Hostile(
        "drips a status line",
        drips(b"HTTP/1.1 200 " + b"O" * 200),
        "unavailable",
        late,
        total_s=0.6,
    )
    yield Hostile(
        "drips chunks",
        then(raw(head(Transfer_Encoding="chunked")), drips(b"1\r\n \r\n" * 40)),
        "unavailable",
        late,
        total_s=0.6,
    )
    yield Hostile(
        "drips trailers for ever",
        then(raw(chunked(listing()) + b"0\r\n"), drips(b"X: y\r\n" * 40)),
        "unavailable",
        late,
        total_s=0.6,
    )
    silent = "gave no answer"
    yield Hostile("hangs before headers", hangs, "unavailable", silent, total_s=0.6)
    yield Hostile(
        "hangs after headers", then(raw(head()), hangs), "unavailable", silent, total_s=0.6
    )
    yield Hostile(
        "hangs in the body",
        then(raw(head(Content_Length=10_000) + listing()[:50]), hangs),
        "unavailable",
        silent,
        total_s=0.6,
    )
    yield Hostile(
        "hangs behind a whole body without a length",
        then(raw(head() + listing()), hangs),
        "unavailable",
        silent,
        total_s=0.6,
    )
    yield Hostile(
        "sends interim answers for ever", floods(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
        "unavailable", late, total_s=0.6,
    )  # fmt: skip


def _silence() -> Iterator[Hostile]:
    """What never ends in other ways."""
    late = "no whole answer within 0.6 s"
    yield Hostile("hangs in the greeting of TLS", hangs, "unavailable", "", tls=True, total_s=0.6)
    yield Hostile("drips the greeting of TLS",
                  drips(b"\x16\x03\x03\x40\x00" + b"\x02" * 400), "unavailable", "",
                  tls=True, total_s=0.6)  # fmt: skip
    yield Hostile("has slow pages without end", slow_pages, "unavailable", late, total_s=0.6)
    yield Hostile("drips what comes with a refusal",
                  then(raw(head("401 Unauthorized", Content_Length=200)), drips(b"x" * 200)),
                  "refused", "(401)", total_s=0.6)  # fmt: skip


def _size() -> Iterator[Hostile]:
    large = "so it was not read"
    many = "more than 524,288 values"
    yield Hostile(
        "sends a body without end", then(raw(head()), floods(b" " * 65536)), "nonsense", large,
        total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "sends one chunk without end",
        then(raw(head(Transfer_Encoding="chunked") + b"7fffffff\r\n"), floods(b" " * 65536)),
        "nonsense",
        large,
        total_s=5,
        heavy=True,
    )
    yield Hostile(
        "sends chunks without end",
        then(raw(head(Transfer_Encoding="chunked")), floods(b"1000\r\n" + b" " * 4096 + b"\r\n")),
        "nonsense",
        large,
        total_s=5,
        heavy=True,
    )
    yield Hostile(
        "sends a chunk's size without end",
        then(raw(head(Transfer_Encoding="chunked")), floods(b"0" * 65536)),
        "unavailable",
        "no HTTP",
    )
    yield Hostile("sends a bomb of gzip", compressed("gzip", lambda: bomb(wbits=31)),
                  "nonsense", large, total_s=5, heavy=True)  # fmt: skip
    yield Hostile("sends a bomb of deflate", compressed("deflate", lambda: bomb(wbits=15)),
                  "nonsense", large, total_s=5, heavy=True)  # fmt: skip
    yield Hostile("sends a bomb in a bomb",
                  compressed("gzip, gzip", lambda: bomb(wbits=31, times=2)),
                  "nonsense", large, total_s=5, heavy=True)  # fmt: skip
    yield Hostile("sends a bomb in a bomb in a bomb",
                  compressed("gzip, gzip, gzip", lambda: bomb(wbits=31, times=3)),
                  "nonsense", large, total_s=5, heavy=True)  # fmt: skip
    yield Hostile("packs twenty times over",
                  compressed("gzip, " * 19 + "gzip", lambda: bomb(wbits=31, times=20)),
                  "unavailable", "")  # fmt: skip
    yield Hostile(
        "sends files of gzip without end", members, "nonsense", large, total_s=5, heavy=True
    )
    yield Hostile("says brotli unasked", says(b"\x8b\x03" * 500, Content_Encoding="br"),
                  "nonsense", "not JSON")  # fmt: skip
    yield Hostile("says zstd unasked", says(b"\x28\xb5\x2f\xfd" * 500, Content_Encoding="zstd"),
                  "nonsense", "not JSON")  # fmt: skip
    yield Hostile("says gzip and isn't", says(listing(), Content_Encoding="gzip"),
                  "unavailable", "")  # fmt: skip
    yield Hostile(
        "breaks off gzip", says(gzip.compress(listing())[:-20], Content_Encoding="gzip"),
        "nonsense", "not JSON",
    )  # fmt: skip
    for name, part in (
        ("empty lists", b"[],"),
        ("empty objects", b"{},"),
        ("zeros", b"0,"),
        ("short texts", b'"ab",'),
        ("numbers", b"1.5,"),
    ):
        yield Hostile(
            f"lists millions of {name}",
            filled(b'{"data": [', part, b"0]}", size=7 * MIB),
            "nonsense", many, total_s=5, heavy=True,
        )  # fmt: skip
    yield Hostile(
        "has an object with millions of names",
        filled(b'{"data": {', b'"%d":0,' % 0, b'"":0}}', size=7 * MIB),
        "nonsense", many, total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "describes a model in millions of signs",
        filled(listing()[:-2] + b', {"id": "acme/omega-1", "description": "', "😀ab".encode(),
               b'"}]}', size=7 * MIB),
        "believed", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "lists a nameless model of millions of signs",
        filled(listing()[:-2] + b', {"description": "', "😀ab".encode(), b'"}]}', size=7 * MIB),
        "partly", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "redirects with a body without end",
        then(raw(head("302 Found", Location="/v1/models/")), floods(b" " * 65536)),
        "nonsense", "redirects to nowhere", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "names a price in 100,000 digits",
        row(pricing={"1" * 100_000 + "a": "1", "price_over_" + "9" * 5000: "1"}, price="1"),
        "believed",
    )  # fmt: skip
    yield Hostile(
        "knows a model by a hundred thousand words",
        row(supported_parameters=[f"word{n}" for n in range(100_000)]),
        "believed", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "lists a hundred thousand rows that are none",
        says(json.dumps({"data": ["x"] * 100_000}).encode()), "nonsense", "", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "sends megabytes with an error",
        says(b'{"error": "' + b"x" * (6 * MIB) + b'"}', "500 Internal Server Error"),
        "unavailable", "is busy or broken (500)", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "sends an error without end",
        then(raw(head("500 Internal Server Error")), floods(b"x" * 65536)),
        "unavailable", "is busy or broken (500)", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "sends a refusal without end",
        then(raw(head("401 Unauthorized")), floods(b"x" * 65536)),
        "refused", "(401)", total_s=5, heavy=True,
    )  # fmt: skip
    yield Hostile(
        "opens titles and closes none",
        says(b"<" + b"<title" * 50_000, "502 Bad Gateway"), "unavailable", "(502)", total_s=1,
    )  # fmt: skip
    yield Hostile(
        "sends a page that opens titles and closes none",
        says(b"<" + b"<title" * 50_000), "nonsense", "a web page", total_s=1,
    )  # fmt: skip


def _form() -> Iterator[Hostile]:
    broke = "the connection broke"
    no_http = "no HTTP that can be read"
    yield Hostile("promises more than it sends", raw(head(Content_Length=10**6) + listing()),
                  "unavailable", broke)  # fmt: skip
    yield Hostile("promises less than it sends", raw(head(Content_Length=20) + listing()),
                  "nonsense", "not JSON")  # fmt: skip
    yield Hostile("promises 10^30 bytes", raw(head(Content_Length=10**30) + listing()),
                  "unavailable", "")  # fmt: skip
    yield Hostile("has two lengths",
                  raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n[1]   "),
                  "unavailable", "")  # fmt: skip
    yield Hostile("closes without a word", lambda wire: None, "unavailable", broke)
    yield Hostile("resets without a word", resets, "unavailable", broke)
    yield Hostile("resets in the body", then(raw(head(Content_Length=10**6) + b"{"), resets),
                  "unavailable", broke)  # fmt: skip
    yield Hostile("sends a chunk of no size",
                  raw(head(Transfer_Encoding="chunked") + b"xyz\r\n" + listing() + b"\r\n"),
                  "unavailable", "")  # fmt: skip
    yield Hostile("sends a chunk of negative size",
                  raw(head(Transfer_Encoding="chunked") + b"-5\r\n" + listing() + b"\r\n"),
                  "unavailable", "")  # fmt: skip
    yield Hostile("sends no last chunk", raw(chunked(listing())), "unavailable", broke)
    yield Hostile("sends ten thousand headers",
                  raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n" + listing()),
                  "unavailable", "")  # fmt: skip
    yield Hostile("sends headers without end",
                  then(raw(b"HTTP/1.1 200 OK\r\n"), floods(b"X: y\r\n" * 1000)),
                  "unavailable", "")  # fmt: skip
    yield Hostile("sends a header without end",
                  then(raw(b"HTTP/1.1 200 OK\r\nX: "), floods(b"y" * 65536)),
                  "unavailable", "")  # fmt: skip
    yield Hostile("sends a status line without end", floods(b"HTTP/1.1 200 " + b"O" * 65536),
                  "unavailable", no_http)  # fmt: skip
    yield Hostile("sends no status line", raw(listing()), "unavailable", no_http)
    yield Hostile("sends random bytes", raw(bytes(range(64)) * 10), "unavailable", no_http)
    yield Hostile("speaks another protocol", raw(b"220 mail.example.com ESMTP\r\n"),
                  "unavailable", no_http)  # fmt: skip
    yield Hostile("answers plain http with TLS", raw(b"\x15\x03\x01\x00\x02\x02\x46"),
                  "unavailable", no_http)  # fmt: skip
    yield Hostile("answers TLS with plain http", says(listing()), "unavailable", "TLS", tls=True)
    yield Hostile("has a status that is none", says(listing(), "abc OK"), "unavailable", no_http)
    yield Hostile("has a status of 999", says(listing(), "999 Whatever"), "unavailable", "(999)")
    yield Hostile("has no content", raw(head("204 No Content")), "nonsense", "")
    yield Hostile("sends a part", says(listing(), "206 Partial Content"), "nonsense", "(206)")
    yield Hostile("says unchanged unasked", raw(head("304 Not Modified")), "nonsense", "")
    yield Hostile("switches protocols", raw(head("101 Switching Protocols") + b"\x81\x05hello"),
                  "nonsense", "")  # fmt: skip


def _redirects() -> Iterator[Hostile]:
    nowhere, never = "redirects to nowhere", "is never asked"
    yield Hostile("redirects to itself", redirects("/v1/models"), "nonsense", nowhere)
    yield Hostile("redirects in a circle", redirects_round, "nonsense", "in a circle")
    yield Hostile("redirects on and on", redirects_on, "nonsense", "in a circle")
    yield Hostile("redirects to a cloud's metadata",
                  redirects("http://169.254.169.254/latest/meta-data/"),
                  "nonsense", never)  # fmt: skip
    yield Hostile("redirects to a link-local address", redirects("http://[fe80::1]/v1/models"),
                  "nonsense", never)  # fmt: skip
    yield Hostile("redirects to metadata by another spelling",
                  redirects("http://[::ffff:169.254.169.254]/"), "nonsense", never)  # fmt: skip
    yield Hostile("redirects to metadata as a number", redirects("http://2852039166/"),
                  "nonsense", never)  # fmt: skip
    yield Hostile("redirects to no address", redirects("http://0.0.0.0/"), "nonsense", never)
    yield Hostile("redirects to a file", redirects("file:///etc/passwd"), "nonsense", nowhere)
    yield Hostile("redirects to a script", redirects("javascript:alert(1)"), "nonsense", nowhere)
    yield Hostile("redirects without a place", says(b"", "302 Found"), "nonsense", nowhere)
    for name, place in (
        ("a broken address", "http://[::1/v1"),
        ("a host without letters", "http://a..b/"),
        ("a host of 300 letters", f"http://{'a' * 300}.example/"),
        ("a port that is none", "http://127.0.0.1:99999/"),
        ("a host with a space", "http://exa mple/"),
        ("no host", "http:///v1"),
    ):
        yield Hostile(f"redirects to {name}", redirects(place), "nonsense", "redirects to")
    yield Hostile("redirects to 60 kB of address", redirects("/" + "x" * 60_000), "nonsense", "")


def _errors() -> Iterator[Hostile]:
    wait = "has too many requests (429)"
    yield Hostile("refuses with a web page", says(b"<html><title>No</title>", "403 Forbidden"),
                  "refused", "(403)")  # fmt: skip
    yield Hostile("refuses in silence", says(b"", "401 Unauthorized"), "refused", "(401)")
    yield Hostile("asks for money", says(b"{}", "402 Payment Required"), "refused", "payment")
    yield Hostile("is busy for ever", says(b"{}", "429 Too Many Requests"), "unavailable", wait)
    for told in ("-5", str(10**9), "1e400", "nan", "Fri, 31 Dec 9999 23:59:59 GMT", "soon",
                 "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Feb 20260 25:61:61 -9999", ",",
                 "9" * 5000):  # fmt: skip
        yield Hostile(f"is to be asked again after {told[:30]}", busy(told), "unavailable", wait)
    yield Hostile("is broken for ever, and silent", says(b"", "500 Oops"), "unavailable", "(500)")
    yield Hostile("tells of an error deep down",
                  says(b'{"error":' * 5000 + b"1" + b"}" * 5000, "500 Oops"),
                  "unavailable", "(500)")  # fmt: skip
    yield Hostile("tells an error with control signs",
                  says(json.dumps({"error": {"message": "a\0b\x1b[31m\ud800"}}).encode(),
                       "503 Busy"),
                  "unavailable", "It says: a b")  # fmt: skip


def _content() -> Iterator[Hostile]:
    no_json = "not JSON"
    none = "no list of models"
    yield Hostile("answers with a web page", says(b"<!doctype html><title>Hello</title>"),
                  "nonsense", "a web page, not JSON")  # fmt: skip
    yield Hostile("answers with XML", says(b"<?xml version='1.0'?><models/>"),
                  "nonsense", "a web page, not JSON")  # fmt: skip
    for name, body in (
        ("nothing", b""),
        ("half of it", listing()[: len(listing()) // 2]),
        ("two answers", listing() * 2),
        ("lines of JSON", b'{"id": "a"}\n{"id": "b"}'),
        ("NaN", b'{"data": NaN}'),
        ("Infinity", b'{"data": [{"id": "a", "created": Infinity}]}'),
        ("100,000 lists in each other", deep(100_000)),
        ("a number of 5,000 digits", b'{"data": [' + b"9" * 5000 + b"]}"),
        ("bytes that are no text", b'{"data": [{"id": "\xff\xfe\xfa"}]}'),
        ("half an UTF-16", listing().decode().encode("utf-16")[:-1]),
        ("a script", b"while(1);[]"),
    ):
        yield Hostile(f"answers with {name}", says(body), "nonsense", no_json)
    for name, body in (
        ("null", b"null"),
        ("a number", b"42"),
        ("a text", b'"hello"'),
        ("an empty object", b"{}"),
        ("null for a list", b'{"data": null}'),
        ("an object for a list", b'{"data": {"id": "acme/zeta-1"}}'),
        ("an error with 200", b'{"error": {"message": "Something broke."}}'),
        ("its list under another name", json.dumps({"items": GOOD}).encode()),
        ("the list first empty, then full, under one name twice",
         b'{"data": [{"id": "acme/zeta-2"}], "data": null}'),
    ):  # fmt: skip
        yield Hostile(f"answers with {name}", says(body), "nonsense", none)
    for name, body in (
        ("no models", b'{"data": []}'),
        ("lists of lists", b'{"data": [[["acme/zeta-1"]]]}'),
        ("nulls", b'{"data": [null, null]}'),
        ("100 lists in each other", deep(100)),
        ("renamed fields", b'{"data": [{"identifier": "acme/zeta-1"}, {"ID": "acme/eta-1"}]}'),
    ):
        yield Hostile(f"lists {name}", says(body), "nonsense", "listed no models")
    yield Hostile("lists next to nothing", says(json.dumps({"data": GOOD[:1]}).encode()),
                  "nonsense", "less than half of last time")  # fmt: skip
    yield Hostile("lists other models only",
                  says(json.dumps({"data": [{"id": f"acme/new-{n}"} for n in range(9)]}).encode()),
                  "nonsense", "less than half of last time")  # fmt: skip
    yield Hostile("writes in UTF-16", says(listing().decode().encode("utf-16")), "believed")
    yield Hostile("begins with a mark of bytes", says(b"\xef\xbb\xbf" + listing()), "believed")
    yield Hostile("says its JSON is a picture", says(listing(), Content_Type="image/png"),
                  "believed")  # fmt: skip
    yield Hostile("says its text is of no known alphabet",
                  says(listing(), Content_Type="application/json; charset=x-none"),
                  "believed")  # fmt: skip
    yield Hostile("sends a hint before it answers",
                  raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + reply(listing())),
                  "nonsense", "")  # fmt: skip
    yield Hostile("sets a thousand cookies' worth",
                  says(listing(), Set_Cookie="a=" + "x" * 60_000), "believed")  # fmt: skip


def _rows() -> Iterator[Hostile]:
    yield Hostile("lists an id of 100 kB", row(id="acme/" + "x" * 100_000), "partly")
    yield Hostile("lists an id of 220 signs", row(id="acme/" + "x" * 215), "partly")
    yield Hostile("lists an id with NUL", row(id="acme/a\0b"), "partly")
    yield Hostile("lists an id with a line break", row(id="acme/a\nb"), "partly")
    yield Hostile("lists an id with an escape", row(id="acme/\x1b[31mred"), "partly")
    yield Hostile("lists an id with half a sign", row(id="acme/\ud800"), "partly")
    yield Hostile("lists an id that turns the line", row(id="acme/\u202egpj"), "partly")
    yield Hostile("lists an id that is a number", row(id=7), "partly")
    yield Hostile("lists an id that is a list", row(id=["acme/zeta-1"]), "partly")
    yield Hostile("lists an empty id", row(id=" \t "), "partly")
    yield Hostile("lists a row deep down", says(listing([[[[[[[[]]]]]]]])), "partly")
    yield Hostile("lists each id a hundred times", says(listing(*GOOD * 100)), "believed")
    yield Hostile("names a field twice",
                  raw_row('{"id": "acme/a", "id": "acme/b", "created": 1, "created": "x"}'),
                  "believed")  # fmt: skip
    for name, text in (
        ("1e400 everywhere", "1e400"),
        ("-1e400", "-1e400"),
        ("a tiny number", "1e-400"),
        ("an integer of 4,000 digits", "9" * 4000),
        ("a negative number", "-1"),
        ("a truth", "true"),
        ("a text of a huge number", '"1e999999999"'),
        ("a text of a tiny number", '"1e-999999999"'),
        ("a text of 4,000 digits", f'"{"9" * 4000}"'),
        ("the year 9999", '"9999-12-31T23:59:59-14:00"'),
        ("the year 0", '"0000-00-00"'),
        ("the year 1", '"0001-01-01T00:00:00+14:00"'),
        ("the 31st of February", '"2026-02-31"'),
        ("half a sign", r'"\ud800"'),
        ("NUL", r'"a\u0000b"'),
        ("a list", '[["x"], null, {"a": [1]}]'),
        ("an object", '{"x": {"y": null}}'),
        ("100,000 signs", f'"{"x" * 100_000}"'),
    ):
        yield Hostile(f"tells of a model {name}", raw_row(_everywhere(text)), "believed")


def _everywhere(text: str) -> str:
    """Return a row each of whose fields, but for the id, is this."""
    plain = ("canonical_slug", "name", "created", "context_length", "description", "lifecycle",
             "status", "supported_parameters", "expiration_date", "hugging_face_id", "pricing",
             "architecture", "top_provider", "deprecated", "aliases")  # fmt: skip
    once = "".join(f', "{name}": {text}' for name in plain)
    prices = ", ".join(f'"{name}": {text}' for name in ("prompt", "completion", "request",
                       "input_cache_read", "image"))  # fmt: skip
    inner = f', "pricing": {{{prices}}}, "top_provider": {{"max_completion_tokens": {text}}}'
    inner += f', "architecture": {{"input_modalities": {text}, "modality": {text}}}'
    return f'{{"id": "acme/omega-1"{once}}}, {{"id": "acme/psi-1"{inner}}}'


def _pages() -> Iterator[Hostile]:
    other = "points to another host for its next page"
    yield Hostile("points to its first page", next_page_at("models"), "nonsense", "in a circle")
    yield Hostile("points round in a circle", circle_of_two, "nonsense", "in a circle")
    yield Hostile("has pages without end", endless_pages, "nonsense", "more than 100 pages",
                  total_s=10)  # fmt: skip
    yield Hostile(
        "has large pages without end",
        large_pages,
        "nonsense",
        "in all: not read further",
        total_s=5,
        heavy=True,
    )
    yield Hostile("breaks on its second page", breaks_on_second_page, "unavailable", "(500)")
    yield Hostile("lists nonsense on its second page", lists_less_on_second_page, "partly")
    for place in ("http://127.0.0.2:9/models", "https://evil.example/",
                  "//evil.example/v1/models", "gopher://127.0.0.1/models"):  # fmt: skip
        yield Hostile(f"has its next page at {place}", next_page_at(place), "nonsense", other)
    for place in ("http://[::1/", "file:///etc/passwd", "http://127.0.0.1:99999/"):
        yield Hostile(f"has its next page at {place}", next_page_at(place),
                      "nonsense", "an address for its next page that is none")  # fmt: skip


HOSTILE = {
    make.__name__.removeprefix("_"): list(make())
    for make in (_time, _silence, _size, _form, _redirects, _errors, _content, _rows, _pages)
}
