"""Where things are: in a clone of the repository, or installed from a wheel."""

import os
from pathlib import Path

CODE = Path(__file__).resolve().parent.parent
_IN_WHEEL = CODE / "config" / "shipped"
IS_INSTALLED = _IN_WHEEL.is_dir()

SHIPPED = _IN_WHEEL if IS_INSTALLED else CODE
"""Templates, static files and what gunicorn reads."""


def _in_users_data() -> Path:
    # Asked for only where it is needed: a user without a home may run a clone.
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "hotswap"


HOME = _in_users_data() if IS_INSTALLED else CODE
"""Where ``.env`` is looked for."""

DATA = HOME if IS_INSTALLED else CODE / "var"
"""Where data goes unless HOTSWAP_DATA_DIR says otherwise."""
