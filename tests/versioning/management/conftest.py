"""Commands as a shell runs them: what they print, and their exit code."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import execute_from_command_line

from providers.models import Provider
from sample_world.simulator import Simulator
from tests.connections import leave_open_here
from tests.factories import ProviderFactory
from versioning.models import TrackedModel
from versioning.services import tracking
from versioning.services.actors import Actor

OLD, NEW = "zed/zeta-4-mini-20250101", "zed/zeta-4-mini-20250301"


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


Shell = Callable[..., Ended]


@pytest.fixture
def shell(db: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run ``manage.py`` with arguments; a test's connection stays open afterwards."""
    leave_open_here(monkeypatch)

    def run(*arguments: Any) -> Ended:
        code: Any = 0
        try:
            execute_from_command_line(["manage.py", *map(str, arguments)])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return Ended(code or 0, said.out, said.err)

    return run


@pytest.fixture
def router(db: None, simulator: Simulator) -> Provider:
    """An OpenRouter that lists one model."""
    simulator.catalogue.add("openrouter", OLD, context=8_000)
    return ProviderFactory(
        slug="router", kind="openrouter", base_url=simulator.base_url("openrouter")
    )


@pytest.fixture
def zeta(router: Provider, simulator: Simulator, shell: Shell) -> TrackedModel:
    """A tracked model whose newer snapshot is recommended."""
    shell("check_providers")
    tracked = tracking.start_tracking(
        provider_id=router.pk,
        name="zeta",
        upstream_id=OLD,
        actor=Actor.command(),
        now=router.created_at,
    )
    simulator.catalogue.add("openrouter", NEW, context=32_000)
    shell("check_providers")
    return tracked
