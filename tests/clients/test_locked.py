"""The generators' environment is what its lock files name."""

import json
import re

import pytest

from tests.clients.test_generated import HERE, TOOLS
from tests.config.test_locks import ASKED_FOR, bombs, here, read, unlike

LOCK = "requirements-clients.lock"


@pytest.mark.clients
def test_the_generators_ask_for_nothing_that_their_lock_file_does_not_name() -> None:
    installed = here([str(each) for each in TOOLS.parent.glob("lib/*/site-packages")])

    assert unlike(read(LOCK), installed) == {}
    assert bombs(read(LOCK), installed, ASKED_FOR[LOCK]) == []


def test_the_lock_file_of_npm_has_a_hash_for_each_and_names_no_host() -> None:
    locked = json.loads((HERE / "package-lock.json").read_text())
    asked = json.loads((HERE / "package.json").read_text())["devDependencies"]
    packages = {name: each for name, each in locked["packages"].items() if name}

    assert locked["packages"][""]["devDependencies"] == asked
    assert len(packages) > 30
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not [name for name, each in packages.items() if "resolved" in each]
    assert "omit-lockfile-registry-resolved=true" in (HERE / ".npmrc").read_text()
    assert not re.search(r"registry\s*=", (HERE / ".npmrc").read_text())
