"""The project's settings, and the tour through the sample world beside them."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from django.urls import reverse_lazy

from config.settings import *  # noqa: F403
from config.settings import DATA_DIR, INSTALLED_APPS, TEMPLATES
from config.unfold import UNFOLD

INSTALLED_APPS = [*INSTALLED_APPS, "sample_world"]
ROOT_URLCONF = "sample_world.urls"

# Before the project's own, so that a page can be extended under its own name.
TEMPLATES = deepcopy(TEMPLATES)
_pages: Any = TEMPLATES[0]
_pages["DIRS"] = [Path(__file__).parent / "templates", *_pages["DIRS"]]

UNFOLD = deepcopy(UNFOLD)
_sidebar: Any = UNFOLD["SIDEBAR"]
_sidebar["navigation"][0]["items"].insert(
    0, {"title": "Tour", "icon": "tour", "link": reverse_lazy("tour")}
)

# Mails of the sample world leave nothing: they lie in the folder of its data.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mails"
