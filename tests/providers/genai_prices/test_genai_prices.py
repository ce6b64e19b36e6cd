"""genai-prices: dated prices, offline."""

import sys
from datetime import UTC, datetime

import pytest

from providers.base import Connection, Unavailable
from providers.kinds.genai_prices.adapter import GenaiPrices
from tests.providers.conftest import NOW

ASKED = GenaiPrices(Connection(""))


def test_a_price_holds_for_its_day() -> None:
    pytest.importorskip("genai_prices", reason="the extra hotswap[prices] is not installed")
    models = ASKED.list_models(at=NOW).models
    priced = next(m for m in models if m.provider == "openai" and m.id == "gpt-4o")
    assert priced.input_price
    assert priced.output_price
    assert priced.input_price < priced.output_price


def test_a_snapshot_s_name_finds_its_price() -> None:
    pytest.importorskip("genai_prices", reason="the extra hotswap[prices] is not installed")
    at = datetime(2025, 6, 1, tzinfo=UTC)
    found = ASKED.describe("openai/gpt-4o-2024-08-06", at=at)
    assert found is not None
    assert found.input_price
    assert ASKED.describe("openai/none-of-them", at=at) is None


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    with pytest.raises(Unavailable, match=r"install hotswap\[prices\]"):
        ASKED.list_models(at=NOW)
