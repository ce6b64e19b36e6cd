"""The page about providers names everything that there is."""

import re
import shlex
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from providers import registry
from providers.base import ServerPreset
from providers.models import Provider

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()


@pytest.mark.parametrize("kind", [kind for kind, _ in registry.kinds()])
def test_every_kind_is_connected_with_one_line(kind: str) -> None:
    assert f"--kind {kind}" in PAGE


@pytest.mark.parametrize("preset", registry.presets("openai"), ids=lambda preset: preset.slug)
def test_every_known_server_has_its_address_and_variable(preset: ServerPreset) -> None:
    assert preset.slug == "openai" or f"`{preset.base_url}`" in PAGE
    assert preset.key_variable in PAGE


@pytest.mark.django_db
@pytest.mark.parametrize("line", re.findall(r"`(add_provider [^`]+)`", PAGE))
def test_every_line_adds_its_provider(line: str, settings: Any) -> None:
    settings.HOTSWAP = {**settings.HOTSWAP, "FILES_DIR": "/srv"}
    call_command(*shlex.split(line), stdout=StringIO())
    assert Provider.objects.filter(slug=shlex.split(line)[1]).exists()
