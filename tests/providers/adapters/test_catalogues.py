"""Sources that serve no model: models.dev, genai-prices and published retirement dates."""

import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from providers.adapters.genai_prices import GenaiPrices
from providers.adapters.modelsdev import ModelsDev
from providers.adapters.retirements import Retirements
from providers.base import Connection, Nonsense, Unavailable
from tests.providers.adapters.shapes import connect, listed
from tests.providers.conftest import NOW, ScriptedServer, answer, read_fixture


class TestModelsDev:
    def test_a_row_tells_price_limits_and_whose_it_is(self, server: ScriptedServer) -> None:
        server.script = answer(read_fixture("modelsdev", "api"))
        model = listed(connect(ModelsDev, server))["quill-2"]
        assert model.provider == "acme"
        assert (model.input_price, model.output_price) == (Decimal("2.5"), Decimal(10))
        assert (model.context_tokens, model.output_tokens) == (128_000, 16_384)
        assert model.capabilities == ("tools", "attachments")

    def test_a_month_is_taken_as_its_last_day(self, server: ScriptedServer) -> None:
        server.script = answer(read_fixture("modelsdev", "api"))
        assert listed(connect(ModelsDev, server))["quill-2"].released == date(2025, 2, 28)

    def test_a_broken_provider_spoils_only_itself(self, server: ScriptedServer) -> None:
        server.script = answer(read_fixture("modelsdev", "api"))
        dropped = connect(ModelsDev, server).list_models(at=NOW).dropped
        assert len(dropped) == 2
        assert "of broken is not an object" in dropped[1]


class TestGenaiPrices:
    asked = GenaiPrices(Connection(""))

    def test_a_price_holds_for_its_day(self) -> None:
        pytest.importorskip("genai_prices", reason="the extra hotswap[prices] is not installed")
        models = self.asked.list_models(at=NOW).models
        priced = next(m for m in models if m.provider == "openai" and m.id == "gpt-4o")
        assert priced.input_price
        assert priced.output_price
        assert priced.input_price < priced.output_price

    def test_a_snapshot_s_name_finds_its_price(self) -> None:
        pytest.importorskip("genai_prices", reason="the extra hotswap[prices] is not installed")
        at = datetime(2025, 6, 1, tzinfo=UTC)
        found = self.asked.describe("openai/gpt-4o-2024-08-06", at=at)
        assert found is not None
        assert found.input_price
        assert self.asked.describe("openai/none-of-them", at=at) is None

    def test_without_the_package_it_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
        with pytest.raises(Unavailable, match=r"install hotswap\[prices\]"):
            self.asked.list_models(at=NOW)


class TestRetirements:
    def test_a_row_tells_date_replacement_and_source(self, server: ScriptedServer) -> None:
        server.script = answer(read_fixture("retirements", "document"))
        models = listed(connect(Retirements, server))
        sure = models["quill-4-0613"]
        assert (sure.provider, sure.replacement) == ("openai", "quill-5")
        assert (sure.retires_on, sure.retires_precision) == (date(2026, 6, 6), "exact")
        assert sure.source == "https://acme.example/deprecations"

    def test_a_date_without_a_precision_is_not_taken_as_sure(self, server: ScriptedServer) -> None:
        server.script = answer(read_fixture("retirements", "document"))
        model = listed(connect(Retirements, server))["gemstone-2"]
        assert model.retires_precision == "tentative"
        assert model.source == server.url

    def test_a_row_that_says_nothing_is_counted(self, server: ScriptedServer) -> None:
        server.script = answer(read_fixture("retirements", "document"))
        (dropped,) = connect(Retirements, server).list_models(at=NOW).dropped
        assert "(gemstone-3) has neither a date nor a replacement" in dropped

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, settings: Any) -> None:
        settings.HOTSWAP = settings.HOTSWAP | {"FILES_DIR": str(tmp_path)}

    def test_a_file_is_read_too(self, tmp_path: Path) -> None:
        file = tmp_path / "dates.json"
        file.write_text(json.dumps(read_fixture("retirements", "document")))
        assert "quill-4-0613" in listed(Retirements(Connection(file.as_uri())))

    def test_a_file_that_is_not_there_is_unavailable(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="No such file"):
            listed(Retirements(Connection((tmp_path / "none.json").as_uri())))

    def test_a_file_that_is_no_json_is_nonsense(self, tmp_path: Path) -> None:
        (tmp_path / "dates.json").write_text("no json")
        with pytest.raises(Nonsense, match="not JSON"):
            listed(Retirements(Connection((tmp_path / "dates.json").as_uri())))
