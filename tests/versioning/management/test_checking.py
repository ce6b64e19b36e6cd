"""check_providers: 0 all answered, 1 some failed, 2 wrong use."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.factories import ProviderFactory
from tests.versioning.management.conftest import Shell
from versioning.models import Check

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
NOBODY = "http://127.0.0.1:9/v1"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_all_answered(shell: Shell, router: Provider) -> None:
    ended = shell("check_providers")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("router ")
    assert "1 model: 1 new" in ended.out
    check = Check.objects.get()
    assert (check.trigger, check.asked_by) == (Check.Trigger.COMMAND, "command line")


def test_some_failed_and_the_news_of_the_others_is_there(shell: Shell, router: Provider) -> None:
    ProviderFactory(slug="broken", base_url=NOBODY)

    ended = shell("check_providers")

    assert ended.code == 1
    broken, good = ended.out.splitlines()
    assert broken.startswith("broken ")
    assert "failed" in broken
    assert "unavailable: 127.0.0.1:9 gave no answer" in broken
    assert "1 new" in good


def test_only_those_that_are_named_are_asked(shell: Shell, router: Provider) -> None:
    ProviderFactory(slug="broken", base_url=NOBODY)

    assert shell("check_providers", "--provider", "router").code == 0
    assert Check.objects.get().provider == router


@pytest.mark.parametrize("arguments", [["--provider", "nobody"], ["--what"], ["router"]])
def test_wrong_use_asks_nobody(shell: Shell, router: Provider, arguments: list[str]) -> None:
    ended = shell("check_providers", *arguments)

    assert ended.code == 2
    assert ended.out == ""
    assert arguments[-1] in ended.err
    assert not Check.objects.exists()


def test_nothing_to_ask_is_said_and_no_failure(shell: Shell, router: Provider) -> None:
    Provider.objects.update(enabled=False)

    ended = shell("check_providers", "--json")

    assert (ended.code, json.loads(ended.out)) == (0, [])
    assert "none is enabled" in ended.err


def test_json_has_the_failures_too(shell: Shell, router: Provider) -> None:
    ProviderFactory(slug="broken", base_url=NOBODY)

    ended = shell("check_providers", "--json")

    assert ended.code == 1
    broken, good = json.loads(ended.out)
    assert (broken["provider"], broken["state"]) == ("broken", "failed")
    assert broken["error_kind"] == "unavailable"
    assert (good["provider"], good["state"], good["listed"], good["added"]) == (
        *("router", "changed", 1, 1),
    )
    assert good["duration_ms"] >= 0
    assert good["error"] == ""


def test_progress_is_for_a_terminal_only(router: Provider, simulator: Simulator) -> None:
    terminal, pipe = Terminal(), io.StringIO()

    call_command("check_providers", stdout=io.StringIO(), stderr=terminal, force_color=True)
    call_command("check_providers", stdout=io.StringIO(), stderr=pipe)

    assert terminal.getvalue() == "router: changed\n"  # plain: red is for errors
    assert pipe.getvalue() == ""


def test_without_tables_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "manage.py", "check_providers"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "", "HOTSWAP_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 2
    assert "manage.py prepare" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
