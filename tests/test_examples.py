"""The boxes of docs/api.md and of the guide, pasted one after the other as they stand."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import execute_from_command_line

from providers.models import Provider
from sample_world import replay
from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.connections import leave_open_here
from tests.factories import NOW, ApiKeyFactory, UserFactory
from versioning.domain.transitions import State
from versioning.models import (
    EvaluationRun,
    PerformanceSample,
    SecondFactor,
    TrackedModel,
    UpgradeRecord,
)

DOCS = Path(__file__).parents[1] / "docs"
API, GUIDE = DOCS / "api.md", DOCS / "AI_MODEL_VERSIONING_GUIDE.md"
BOX = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
PYTHON = ".venv/bin/python manage.py "

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("curl"), reason="needs curl"),
]


class Reader:
    """Pastes boxes into a shell in a folder of its own; a page's first box is kept for all."""

    def __init__(self, *, server: str, folder: Path) -> None:
        self.folder = folder
        (folder / ".curlrc").write_text('write-out = "\\nstatus %{http_code}\\n"\nmax-time = 60\n')
        self._kept = ""
        self._own = {"HOTSWAP": server, "KEY": ApiKeyFactory().secret}

    def keep(self, box: str) -> None:
        """Take the box that sets the names which later ones use, with a server of ours."""
        for name, value in self._own.items():
            box = re.sub(rf"^export {name}=.*", f"export {name}={value}", box, flags=re.MULTILINE)
        self._kept = box

    def paste(self, box: str) -> list[str]:
        """Run a box by the shell; return the statuses that curl was answered with."""
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{self._kept}\n{box}"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            env={"CURL_HOME": str(self.folder), "PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
            cwd=self.folder,
            timeout=120,
        )
        assert ran.returncode == 0, f"{box}\n{ran.stdout}\n{ran.stderr}"
        statuses = re.findall(r"^(?:status )?(\d{3})$", ran.stdout, re.MULTILINE)
        assert statuses or "curl" not in box, ran.stdout
        return statuses


@pytest.fixture
def reader(live_server: Any, tmp_path: Path) -> Reader:
    return Reader(server=live_server.url, folder=tmp_path)


def test_each_example_of_the_api_answers_as_it_says(reader: Reader) -> None:
    first, *boxes = BOX.findall(API.read_text())
    reader.keep(first)

    *answered, of_an_error = (reader.paste(box) for box in boxes)

    statuses = [status for each in answered for status in each]
    assert {status[0] for status in statuses} == {"2", "3"}, statuses
    assert statuses.count("304") == 1
    assert of_an_error == ["422"]
    assert Provider.objects.get().slug == "local"
    assert TrackedModel.objects.get().name == "org/zeta:free"
    assert PerformanceSample.objects.count() == 2


def the_world_goes_on(simulator: Simulator) -> Mapping[str, Callable[[], object]]:
    """Return what happens meanwhile, by the heading of the guide that it comes before."""
    older, newer = "qwen/qwen-2.5-7b-instruct", "qwen/qwen-2.5-7b-instruct-20250131"

    def list_first() -> None:
        simulator.world.add("openrouter", older, quality={"*": 0.3}, hugging_face_id="Qwen/One")

    def list_next() -> None:
        simulator.world.add(
            "openrouter", newer, quality={"*": 1.0}, released=30, hugging_face_id="Qwen/Next"
        )

    def ada_loses_her_phone() -> None:
        SecondFactor.objects.create(
            user=UserFactory(username="ada"), kept_secret="x", last_step=0, made_at=NOW
        )

    return {
        "Track a model": list_first,
        "See what is recommended, and why": list_next,
        "Ask for a second factor, and help who lost the phone": ada_loses_her_phone,
    }


@pytest.fixture
def manage(
    simulator: Simulator, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Run one line of ``manage.py``; OpenRouter is the simulated one."""
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    leave_open_here(monkeypatch)
    monkeypatch.chdir(reader.folder)

    def run(line: str) -> None:
        assert line.startswith(PYTHON), f"A box has commands of one sort: {line}"
        code: Any = 0
        try:
            execute_from_command_line(["manage.py", *shlex.split(line.removeprefix(PYTHON))])
        except SystemExit as end:
            code = end.code
        assert not code, line
        if "add_provider" in line:
            replay.move(Provider.objects.get(), to=simulator.base_url("openrouter"))

    return run


def test_the_guide_is_a_story_that_happens(
    reader: Reader, simulator: Simulator, manage: Callable[[str], None]
) -> None:
    meanwhile = dict(the_world_goes_on(simulator))
    start, *sections = re.split(r"^##+ ", GUIDE.read_text(), flags=re.MULTILINE)
    (first,) = BOX.findall(start)
    reader.keep(first)
    seen: dict[str, list[str]] = {}

    for section in sections:
        heading = section.partition("\n")[0]
        meanwhile.pop(heading, lambda: None)()
        for box in BOX.findall(section):
            if box.startswith(PYTHON):
                for line in box.splitlines():
                    manage(line)
            else:
                seen.setdefault(heading, []).extend(reader.paste(box))
        if heading == "Run a canary":
            assert UpgradeRecord.objects.latest("pk").state == State.ABORTED

    assert meanwhile == {}
    assert {status[0] for each in seen.values() for status in each} == {"2"}, seen
    assert EvaluationRun.objects.get().state == EvaluationRun.State.DONE
    assert PerformanceSample.objects.filter(source__in=PerformanceSample.LIVE).count() == 2
    rollback, move = UpgradeRecord.objects.order_by("-pk")[:2]
    assert (rollback.state, rollback.reverses) == (State.COMPLETED, move)
    assert TrackedModel.objects.get().current_version == rollback.to_version
    assert not SecondFactor.objects.exists()


def test_no_command_of_the_guide_stands_outside_the_boxes() -> None:
    """What isn't in a box isn't run: so it may be named, but not shown."""
    rest = BOX.sub("", GUIDE.read_text())
    assert re.findall(r"^```|^ {4,}\S|\bcurl |\.venv/bin/python", rest, re.MULTILINE) == []
