"""Make the twenty worlds through the doors that anybody has: listings, samples, runs, sweeps."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from sample_world.simulator import Simulator
from tests.judged.cases import CASES, JudgedCase, Work
from versioning import tasks
from versioning.models import UpgradeRecord

RECORDS = "/api/model-versions/upgrade-recommendations"
BATCH = 1_000
SEED = 20


def build(
    *, api: Client, simulator: Simulator, key_env: str, names: Mapping[str, str]
) -> dict[str, int]:
    """Make all cases at one provider; return the records that wait, by the cases' own words.

    ``names`` says what each case's model is called, so that its name tells nobody its case.
    """
    cases = [replace(case, word=names[case.word]) for case in CASES]
    for case in cases:
        right = case.tested or (1.0, 1.0)
        simulator.world.add("openai", f"{case.word}-1", quality={"*": right[0]})
        simulator.world.add("openai", f"{case.word}-2", quality={"*": right[1]})
    provider = {
        "slug": "judged",
        "name": "Judged",
        "kind": "openai",
        "base_url": simulator.base_url("openai"),
        "api_key_env": key_env,
    }
    _post(api, "/api/providers", provider)
    for case in cases:
        told = {"provider": "judged", "name": case.word, "upstream_id": f"{case.word}-1"}
        _post(api, "/api/tracked-models", told)
    tasks.check_provider(provider_slug="judged", trigger="api")
    for case, known in zip(cases, CASES, strict=True):
        # By its own word: so the same samples come under whatever name.
        _tell(api, case, rng=random.Random(f"{SEED} {known.word}"))
    tasks.fold_samples()
    found = {
        record.tracked_model.name: record.pk
        for record in UpgradeRecord.objects.recommended().with_versions()
    }
    for case in cases:
        if case.retires_in_days is not None:
            _retires(api, record_id=found[case.word], days=case.retires_in_days)
        if case.tested is not None:
            _test(api, case, record_id=found[case.word])
    tasks.run_evaluations()
    tasks.look_again()
    tasks.check_provider(provider_slug="judged", trigger="api")
    return {word: found[name] for word, name in names.items() if name in found}


def _tell(api: Client, case: JudgedCase, *, rng: random.Random) -> None:
    samples = [*_samples(case, 1, case.before, rng), *_samples(case, 2, case.after, rng)]
    for start in range(0, len(samples), BATCH):
        batch = samples[start : start + BATCH]
        answer = _post(api, "/api/performance-samples", batch)
        assert answer["accepted"] == len(batch), answer


def _samples(
    case: JudgedCase, number: int, work: Sequence[Work], rng: random.Random
) -> Iterator[dict[str, Any]]:
    for part in work:
        days = part.first_day - part.last_day + 1
        for n in range(round(part.a_day * days)):
            age = timedelta(days=part.last_day + days * n / (part.a_day * days))
            failed = rng.random() < part.errors
            sample: dict[str, Any] = {
                "provider": "judged",
                "model": case.word,
                "resolved_id": f"{case.word}-{number}",
                "task": part.task,
                "latency_ms": round(part.latency_ms * rng.lognormvariate(0, 0.2), 1),
                "cost_usd": f"{part.cost_usd * rng.uniform(0.8, 1.2):.6f}",
                "time": (timezone.now() - age).isoformat(),
            }
            if failed:
                sample["error"] = "timeout"
            elif part.scored:
                score = rng.gauss(part.quality, part.spread)
                sample["quality"] = round(min(1.0, max(0.0, score)), 3)
            yield sample


def _retires(api: Client, *, record_id: int, days: int) -> None:
    record = api.get(f"{RECORDS}/{record_id}").json()
    day = timezone.localdate() + timedelta(days=days)
    answer = api.patch(
        f"/api/versions/{record['from_version']['id']}",
        {"retires_on": day.isoformat()},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content


def _test(api: Client, case: JudgedCase, *, record_id: int) -> None:
    suite = _post(
        api,
        "/api/evaluation-suites",
        {"name": case.word, "scorers": ["number"], "max_tokens": 20, "budget_usd": "1"},
    )
    sums = [{"prompt": f"What is {n} + 4?", "expected": str(n + 4)} for n in range(60)]
    _post(api, f"/api/evaluation-suites/{suite['id']}/cases", {"cases": sums})
    record = api.get(f"{RECORDS}/{record_id}").json()
    for version in (record["from_version"], record["to_version"]):
        prices = {"input_price": "1", "output_price": "3"}
        answer = api.patch(
            f"/api/versions/{version['id']}", prices, content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
    run = {"suite": case.word, "to_version": record["to_version"]["id"]}
    _post(api, "/api/evaluation-runs", run)


def _post(api: Client, address: str, body: Any) -> Any:
    answer = api.post(address, body, content_type="application/json")
    assert answer.status_code in (200, 201, 202), (address, answer.content)
    return answer.json()
