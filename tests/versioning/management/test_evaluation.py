"""Evaluation from the command line."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sample_world.simulator import Simulator
from sample_world.simulator.server import KEY
from tests.factories import ModelVersionFactory, ProviderFactory, tracked
from tests.versioning.management.conftest import Shell
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
    assert capsys.readouterr().out == "Cases: 20 new.\n"
    call_command("export_cases", "sums")
    exported = tmp_path / "out.jsonl"
    exported.write_text(capsys.readouterr().out)
    call_command("import_cases", "sums", str(exported), "--replace")
    assert capsys.readouterr().out == "Cases: 20 unchanged.\n"


def test_an_import_says_what_became_of_each_case(
    suite: EvaluationSuite, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(f'{{"key": "k{n}", "prompt": "{n} + 1"}}\n' for n in range(4)))
    assert shell("import_cases", "sums", file).out == "Cases: 4 new.\n"
    assert shell("import_cases", "sums", file).out == "Cases: 4 unchanged.\n"
    file.write_text('{"key": "k0", "prompt": "0 + 1"}\n{"key": "k1", "prompt": "1 + 2"}\n')
    ended = shell("import_cases", "sums", file, "--replace")
    assert ended.out == "Cases: 1 changed, 1 unchanged, 2 removed.\n"
    assert ended.code == 0


def test_a_case_whose_row_is_bad_is_not_lost(
    suite: EvaluationSuite, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"key": "a", "prompt": "1 + 1"}\n{"key": "b", "prompt": "2 + 2"}\n')
    shell("import_cases", "sums", file)
    file.write_text('{"key": "a", "prompt": "1 + 1"}\n{"key": "b", "prompt": 2\n')
    ended = shell("import_cases", "sums", file, "--replace")
    assert ended.out == "Cases: 1 unchanged, 1 not removed, since some rows can't be used.\n"
    assert ended.code == 1
    assert suite.cases.count() == 2


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_bad_row_ends_an_import_with_1(
    suite: EvaluationSuite, shell: Shell, tmp_path: Path, ending: str, more: list[str]
) -> None:
    good, bad = {
        "csv": ("key,prompt,weight\nk,1 + 1,\n", "l,2 + 2,heavy\n"),
        "jsonl": ('{"key": "k", "prompt": "1 + 1"}\n', "{]\n"),
    }[ending]
    file = tmp_path / f"cases.{ending}"
    file.write_text(good + bad)
    ended = shell("import_cases", "sums", file, *more)
    assert ended.code == 1
    assert "Row 2 " in ended.err
    assert suite.cases.count() == (0 if more else 1)
    file.write_text(good)
    assert shell("import_cases", "sums", file, *more).code == 0


def test_a_file_without_a_case_that_can_be_used(
    suite: EvaluationSuite, shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text("{]\n")
    assert shell("import_cases", "sums", file, "--dry-run").code == 1


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


def test_an_estimate_and_a_run_count_every_price_of_a_version(
    suite: EvaluationSuite,
    file: Path,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    shell: Shell,
) -> None:
    """A fee for each request is most of what short questions cost."""
    monkeypatch.setenv("SIMULATED_KEY", KEY)
    for id in ("zeta-1", "zeta-2"):
        simulator.world.add("openai", id)
    provider = ProviderFactory(
        slug="sim", base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
    )
    model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
    ModelVersionFactory(tracked_model=model, label="2.0.0", upstream_id="zeta-2")
    fee = [{"part": "request", "usd": "0.01"}]
    ModelVersion.objects.update(input_price=0, output_price=0, other_prices=fee)
    shell("import_cases", "sums", file)
    run = ("evaluate", "sums", "sim", "zeta", "--to", "2.0.0")
    assert "about $0.4000" in shell(*run, "--estimate").out
    assert "$0.4000" in shell(*run).out


@pytest.mark.parametrize("mode", ["unauthorized", "http_500", "html", "bad_request"])
def test_an_evaluation_without_its_key_names_the_variable(
    suite: EvaluationSuite,
    file: Path,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    shell: Shell,
    mode: str,
) -> None:
    monkeypatch.delenv("SIMULATED_KEY", raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    simulator.fail("openai", mode)
    provider = ProviderFactory(
        slug="sim", base_url=simulator.base_url("openai"), api_key_env="SIMULATED_KEY"
    )
    model = tracked(name="zeta", upstream_id="zeta-1", provider=provider)
    ModelVersionFactory(tracked_model=model, label="2.0.0", upstream_id="zeta-2")
    ModelVersion.objects.update(input_price=1, output_price=3)
    shell("import_cases", "sums", file)

    ended = shell("evaluate", "sums", "sim", "zeta", "--to", "2.0.0")

    assert "SIMULATED_KEY is not set here: set it" in ended.out + ended.err
