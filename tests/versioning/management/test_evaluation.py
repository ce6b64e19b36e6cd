"""Evaluation from the command line."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from providers.simulator import Simulator
from providers.simulator.server import KEY
from tests.factories import ModelVersionFactory, ProviderFactory, tracked
from versioning.models import EvaluationRun, EvaluationSuite, ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def suite(db: None) -> EvaluationSuite:
    return EvaluationSuite.objects.create(
        name="sums", scorers=["number"], max_tokens=20, budget_usd=Decimal(1)
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    rows = "".join(f"{n} + 4,{n + 4}\n" for n in range(20))
    path.write_text(f"prompt,expected\n{rows}")
    return path


def test_cases_come_in_and_go_out(
    suite: EvaluationSuite, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_cases", "sums", str(file), "--dry-run")
    assert capsys.readouterr().out == "20 cases can be stored.\n"
    call_command("import_cases", "sums", str(file))
    assert capsys.readouterr().out == "20 new cases, 0 changed or removed.\n"
    call_command("export_cases", "sums")
    exported = tmp_path / "out.jsonl"
    exported.write_text(capsys.readouterr().out)
    call_command("import_cases", "sums", str(exported), "--replace")
    assert capsys.readouterr().out == "0 new cases, 20 changed or removed.\n"


def test_a_file_or_suite_that_is_not_there(suite: EvaluationSuite, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_cases", "sums", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="no evaluation suite 'none'"):
        call_command("export_cases", "none")


def test_evaluate(
    suite: EvaluationSuite,
    file: Path,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    simulator.world.add("openai", "zeta-1", quality={"*": 0.0})
    simulator.world.add("openai", "zeta-2", quality={"*": 1.0})
    provider = ProviderFactory(
        slug="sim", base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
    )
    model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
    ModelVersionFactory(tracked_model=model, label="2.0.0", upstream_id="zeta-2")
    ModelVersion.objects.update(input_price=1, output_price=3)
    call_command("import_cases", "sums", str(file))

    call_command("evaluate", "sums", "sim", "zeta", "--to", "2.0.0", "--estimate")
    assert "40 requests" in capsys.readouterr().out
    assert not EvaluationRun.objects.exists()
    call_command("evaluate", "sums", "sim", "zeta", "--to", "2.0.0")
    assert "better" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no amount"):
        call_command("evaluate", "sums", "sim", "zeta", "--to", "2.0.0", "--budget-usd", "much")
