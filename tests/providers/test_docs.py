"""The page about providers names everything that there is."""

from pathlib import Path

import pytest

from providers import registry

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()


@pytest.mark.parametrize("kind", [kind for kind, _ in registry.kinds()])
def test_every_kind_is_connected_with_one_line(kind: str) -> None:
    assert f"--kind {kind}" in PAGE


@pytest.mark.parametrize("preset", registry.presets(), ids=lambda preset: preset.slug)
def test_every_known_server_has_its_address_and_variable(preset: registry.Preset) -> None:
    assert preset.slug == "openai" or f"`{preset.base_url}`" in PAGE
    assert preset.key_variable in PAGE
