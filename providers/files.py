"""Files that a provider may be read from: regular ones in one folder, and nothing else."""

import os
import stat
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import url2pathname

from django.conf import settings

from providers.base import Nonsense, Unavailable


def folder() -> Path:
    """Return the folder that the operator named in HOTSWAP_FILES_DIR."""
    named: str = settings.HOTSWAP["FILES_DIR"]
    return Path(named)


def problem_of_file_address(address: str) -> str:
    """Return why a file:// address can't be read from, empty where it may be.

    It is the same sentence for all that is outside of the folder, whether it is there or not.
    """
    return "" if _parts(address) else f"Write a file in {folder()}, as file://{folder()}/name."


def read_file(address: str, *, most: int) -> bytes:
    """Return what a regular file in the folder holds.

    Raises Unavailable where it can't be read, Nonsense where it has more than ``most`` bytes.
    """
    parts = _parts(address)
    if not parts:
        raise Unavailable(problem_of_file_address(address))
    try:
        opened = _open(parts)
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise Unavailable(f"{parts[-1]} is no regular file, so it was not read.")
        with os.fdopen(opened, "rb") as file:
            body = file.read(most + 1)
    except OSError as error:
        raise Unavailable(f"The file {parts[-1]} can't be read ({error.strerror}).") from error
    if len(body) > most:
        raise Nonsense(f"The file {parts[-1]} is larger than {most:,} bytes, so it was not read.")
    return body


def _parts(address: str) -> tuple[str, ...]:
    """Return the names from the folder down to the file; empty for a file that is not in it."""
    split = urlsplit(address)
    path = url2pathname(split.path)
    if split.scheme != "file" or split.netloc or not path.isprintable():
        return ()
    try:
        found = PurePosixPath(path).relative_to(folder())
    except ValueError:
        return ()
    return () if ".." in found.parts else found.parts


def _open(parts: tuple[str, ...]) -> int:
    """Open a file name by name, through no link: so it can't lead out of the folder meanwhile.

    Without blocking: a pipe that nobody writes to would hold the caller for ever.
    """
    at = os.open(folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for number, name in enumerate(parts, start=1):
        is_last = number == len(parts)
        kind = os.O_NONBLOCK if is_last else os.O_DIRECTORY
        try:
            below = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=at)
        finally:
            os.close(at)
        at = below
    return at
