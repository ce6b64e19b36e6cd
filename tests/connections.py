"""The connection of a test whose commands run in the test's own process."""

import threading

import pytest
from django.db import connections


def leave_open_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command's end not close the connection of this thread, which the test goes on with.

    Other threads, of a live server or of the command itself, close theirs as ever: what they left
    open would fail whichever test runs when it is collected.
    """
    here, close_all = threading.get_ident(), connections.close_all

    def close_elsewhere() -> None:
        if threading.get_ident() != here:
            close_all()

    monkeypatch.setattr(connections, "close_all", close_elsewhere)
