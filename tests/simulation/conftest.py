"""Print what was measured, also when every promise is kept."""

from collections.abc import Callable

import pytest

_LINES = pytest.StashKey[list[str]]()

Report = Callable[[str], None]


def pytest_configure(config: pytest.Config) -> None:
    config.stash.setdefault(_LINES, [])


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Say a line of the table at the end of the run."""
    return request.config.stash.setdefault(_LINES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    lines = config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("measured")
        for line in lines:
            terminalreporter.write_line(line)
