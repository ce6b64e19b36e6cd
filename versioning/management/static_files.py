"""Collect the static files when they changed, which takes seconds, and only then."""

import hashlib
import json
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed() -> bool:
    """Collect unless every source is as it was at the last time; return whether it was done."""
    stamp = Path(settings.STATIC_ROOT) / ".sources"
    fingerprint = _fingerprint_of_sources()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(fingerprint)
    return True


def _fingerprint_of_sources() -> str:
    sources = []
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            sources.append((path, found.st_size, found.st_mtime_ns))
    return hashlib.sha256(json.dumps(sorted(sources)).encode()).hexdigest()
