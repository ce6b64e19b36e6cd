"""``make demo`` as a newcomer: start it, sign in, take the whole tour, stop it with Ctrl-C.

Run in the project's folder by any Python; it ends with 1 and a sentence where something is amiss.
"""

import html
import http.cookiejar
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

START_WITHIN_S = 900
STOP_WITHIN_S = 60


def main() -> None:
    port = free_port()
    began = time.monotonic()
    demo = subprocess.Popen(
        ["make", "demo", f"PORT={port}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # what a terminal does: Ctrl-C reaches make and all below it
    )
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(START_WITHIN_S)
    try:
        said = until_it_runs(demo)
        print(f"It runs after {time.monotonic() - began:.0f} s.", flush=True)
        address = f"http://localhost:{port}"
        take_the_tour(address, sign_in(address, said))
        os.killpg(demo.pid, signal.SIGINT)
        rest, _ = demo.communicate(timeout=STOP_WITHIN_S)
        print(rest, end="", flush=True)
        if "Stopped." not in rest:
            sys.exit("Ctrl-C didn't stop it in order.")
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGTERM)
            demo.wait(STOP_WITHIN_S)


def free_port() -> int:
    """Return a port that is free now, below those that the system gives away by itself (32768 on).

    The demo has its simulator listen on the one after it more than a minute from now.
    """
    for port in random.sample(range(20000, 30000, 2), 50):
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)):
                return port
    sys.exit("No port from 20000 to 30000 is free.")


def too_late(*_: object) -> None:
    sys.exit(f"make demo took longer than {START_WITHIN_S} s.")


def until_it_runs(demo: "subprocess.Popen[str]") -> str:
    """Pass on what it says until it waits for people; return it."""
    said = ""
    for line in demo.stdout or ():
        print(line, end="", flush=True)
        said += line
        if "Ctrl-C stops it." in line:
            return said
    sys.exit("make demo ended before it ran.")


def sign_in(address: str, said: str) -> urllib.request.OpenerDirector:
    """Sign in with what it printed, see the inbox with its decisions; return the browser."""
    user, password = re.search(r"Sign in as (\S+) with password (\S+)", said).groups()
    cookies = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
    page = browser.open(f"{address}/", timeout=60)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
    form = {"username": user, "password": password, "csrfmiddlewaretoken": token}
    sent = urllib.parse.urlencode(form).encode()
    inbox = browser.open(page.url, sent, timeout=60).read().decode()
    if "Waits for a decision" not in inbox:
        sys.exit("The inbox is not there after signing in.")
    print("The sign-in page and the inbox answer.", flush=True)
    return browser


def take_the_tour(address: str, browser: urllib.request.OpenerDirector) -> None:
    """Follow each link of the tour: there is one for every stop, and it shows what it says."""
    tour = browser.open(f"{address}/admin/tour/", timeout=60).read().decode()
    amiss = [
        f"{title} has no living example."
        for title in re.findall(r"data-missing>\s*<span[^>]*>([^<]*)", tour)
    ]
    stops = re.findall(r'href="([^"]*)" data-shows="([^"]*)">([^<]*)', tour)
    for link, shows, title in stops:
        page = browser.open(address + html.unescape(link), timeout=60).read().decode()
        if html.unescape(shows) not in html.unescape(page[max(0, page.find("<main")) :]):
            amiss.append(f"{title} does not show {shows!r}: {link}")
    if amiss or not stops:
        sys.exit("\n".join(amiss) or "The tour has no stops.")
    print(f"The tour's {len(stops)} stops are there.", flush=True)


if __name__ == "__main__":
    main()
