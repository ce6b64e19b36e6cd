"""What ships, as somebody who installs it: ``python .ci/wheel.py WHEEL VENV``.

VENV holds what requirements.lock names and nothing else; the wheel is put beside it without any
index. It ends with 1 and a sentence where something is amiss.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path

READY_WITHIN_S = 120
STOP_WITHIN_S = 60
STAYS_HERE = re.compile(r"voice|simulator|sample_world|(^|/)tests/|benchmark|config/install")
SHIPS = (
    "config/shipped/gunicorn.conf.py",
    "config/shipped/static/hotswap/admin.css",
    "config/shipped/templates/admin/index.html",
    "providers/kinds/openai/adapter.py",
    "versioning/migrations/0001_tables.py",
)


def main(wheel: Path, venv: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1024:.0f} kB")
    if amiss := [name for name in names if STAYS_HERE.search(name)]:
        sys.exit(f"The wheel holds what is for development: {amiss[:5]}")
    if missing := set(SHIPS) - set(names):
        sys.exit(f"The wheel lacks {sorted(missing)}")
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    with tempfile.TemporaryDirectory() as home:
        use(venv / "bin/hotswap", Path(home))


def use(hotswap: Path, home: Path) -> None:
    """Do what the guide says, in a folder and a home that are empty."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(hotswap), *arguments],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    demo = run("demo")
    if demo.returncode != 1 or not demo.stderr.startswith("The sample world isn't part of"):
        sys.exit(f"hotswap demo doesn't say what is missing: {demo.stdout}{demo.stderr}")
    for arguments in (["manage", "check"], ["manage", "migrate", "--verbosity", "0"]):
        if (ended := run(*arguments)).returncode:
            sys.exit(f"hotswap {' '.join(arguments)}: {ended.stdout}{ended.stderr}")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    up = subprocess.Popen(
        [str(hotswap), "up", "--port", str(port)],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until_ready(up, f"http://127.0.0.1:{port}")
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=STOP_WITHIN_S)
    finally:
        up.kill()
    if up.returncode or "Sign in as admin with password" not in said:
        sys.exit(f"hotswap up ended with {up.returncode}: {said}")
    print("hotswap demo says why not, manage migrate and up work, /readyz and pages answer.")


def until_ready(up: "subprocess.Popen[str]", address: str) -> None:
    last_moment = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < last_moment and up.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
                ready = json.load(answer)["status"] == "ready"
            login = urllib.request.urlopen(f"{address}/admin/login/", timeout=5).read().decode()
            sheet = re.search(r'href="(/static/hotswap/admin[^"]*css)"', login)[1]
            urllib.request.urlopen(address + sheet, timeout=5).close()
            if ready:
                return
        except OSError:
            time.sleep(0.3)
    up.terminate()
    sys.exit(f"hotswap up does not answer: {up.communicate(timeout=STOP_WITHIN_S)[0]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).absolute())
