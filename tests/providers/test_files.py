"""Files of providers: regular ones in one folder, opened through no link."""

import os
from pathlib import Path
from typing import Any

import pytest

from providers import files
from providers.base import Nonsense, Unavailable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    inside = tmp_path / "files"
    inside.mkdir()
    settings.HOTSWAP = settings.HOTSWAP | {"FILES_DIR": str(inside)}
    (tmp_path / "outside.json").write_text("secret")
    return inside


def read(path: Path | str) -> bytes:
    return files.read_file(f"file://{path}", most=100)


def test_a_file_in_it_or_below_it_is_read(folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "a b.json").write_text("[]")
    assert read(f"{folder}/below/a%20b.json") == b"[]"


@pytest.mark.parametrize("name", ["none", "outside.json", "files/../outside.json", "a%00b", ""])
def test_outside_of_it_one_sentence_is_said(folder: Path, name: str) -> None:
    told = set()
    for path in (folder.parent / name, f"{folder}/../{name}", "/etc/passwd", "/no/such/thing"):
        with pytest.raises(Unavailable) as caught:
            read(path)
        told.add(str(caught.value))
    assert told == {f"Write a file in {folder}, as file://{folder}/name."}


def test_no_link_leads_out(folder: Path) -> None:
    (folder / "link.json").symlink_to(folder.parent / "outside.json")
    (folder / "way").symlink_to(folder.parent)
    for name in ("link.json", "way/outside.json"):
        with pytest.raises(Unavailable, match="can't be read"):
            read(folder / name)


def test_what_is_no_regular_file_is_not_read_and_holds_nobody(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "below").mkdir()
    for name in ("pipe", "below"):
        with pytest.raises(Unavailable, match="no regular file"):
            read(folder / name)


def test_a_large_file_is_not_read(folder: Path) -> None:
    (folder / "large").write_bytes(b" " * 101)
    with pytest.raises(Nonsense, match="larger than 100"):
        read(folder / "large")
