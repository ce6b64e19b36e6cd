"""A process in which one more figure is declared, before anything follows from the declaration.

    python -m tests.versioning.one_more_figure FOLDER

prints as JSON what each door says of it. `tests/versioning/test_figures.py` runs it.
"""

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import versioning.domain

ONE_MORE = """
    Figure(
        name="refusal",
        field=Field(name="refused", unit=Unit.YES_NO, meaning="if it refused", listed="refused"),
        sums=(Sum(name="refusal", kept=Kept.RATE, of="refused", answered=True),),
        shown=(
            ShownFigure(
                name="refusal_rate",
                says=Says.SHARE,
                of=lambda sums: sums.refusal.share,
                table="Refusals",
                pair="Refusals",
            ),
        ),
        rate=lambda sums: sums.refusal,
        chart="Refusals, share of requests",
        gated=Gated(
            name="refusals",
            title="Refusals",
            brief="Refusals",
            what="rate of refusals",
            subject="refusals",
            limits=(
                Limit(
                    setting="max_refusal_rise",
                    rises=Rises.POINTS,
                    default=Decimal("0.01"),
                    careful=None,
                    fast=None,
                    help="Points.",
                    asked="Points.",
                ),
            ),
            unsaid="nobody tells it",
        ),
    ),
"""
END = "\n)\n\nFIELDS"


def declare() -> None:
    """Have the module of figures declare one more than its file does."""
    path = Path("versioning/domain/figures.py")
    made = ModuleType("versioning.domain.figures")
    sys.modules[made.__name__] = made
    source = path.read_text().replace(END, ONE_MORE + END.removeprefix("\n"), 1)
    exec(compile(source, str(path), "exec"), made.__dict__)  # noqa: S102
    versioning.domain.figures = made  # type: ignore[attr-defined]


def told() -> dict[str, Any]:
    """Post samples, fold and remake their sums, and ask every door."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import setup_test_environment
    from django.urls import reverse
    from django.utils import timezone

    setup_test_environment()  # lets a test's client in
    call_command("migrate", run_syncdb=True, verbosity=0)
    from tests.factories import ApiKeyFactory, tracked
    from versioning.models import ApiKey, PerformanceSample, Policy
    from versioning.services.samples import rollups
    from versioning.services.samples.rollup_rebuild import rebuild, verify
    from versioning.services.upgrades import policies

    model = tracked(name="zeta")
    key = ApiKeyFactory(scopes=ApiKey.Scope.values)
    api = Client(headers={"Authorization": f"Bearer {key.secret}"})
    known = {"provider": model.provider.slug, "model": "zeta"}
    sent = [known | {"refused": each} for each in (True, False, None)]
    api.post("/api/performance-samples", json.dumps(sent), content_type="application/json")
    rollups.fold(now=timezone.now())
    differences = verify().differences
    rebuild()
    (entry,) = rollups.read(version_ids=[model.current_version_id])
    made = api.post(
        "/api/policies", json.dumps({"max_refusal_rise": "0.0200"}), content_type="application/json"
    )
    staff = Client()
    staff.force_login(get_user_model().objects.create_superuser("ada"))

    def page(name: str, *args: object) -> str:
        return staff.get(reverse(f"admin:versioning_{name}", args=args)).content.decode()

    history = api.get(f"/api/model-versions/{model.provider.slug}/zeta/history").json()
    compared = policies.compared(
        tracked=model,
        from_version=model.current_version,
        to_version=model.current_version,
        now=timezone.now(),
    )
    return {
        "stored": list(PerformanceSample.objects.order_by("pk").values_list("refused", flat=True)),
        "differences": len(differences),
        "sums": entry.sums.refusal,
        "sample": [row["refused"] for row in api.get("/api/performance-samples").json()["results"]],
        "version": history["results"][0]["performance"]["total"]["refusal_rate"],
        "policy": made.json()["max_refusal_rise"],
        "gates": [gate["name"] for gate in compared.details["gates"]],
        "list": "column-refused_shown" in page("performancesample_changelist"),
        "table": ">Refusals</th>" in page("modelversion_change", model.current_version_id),
        "chart": "Refusals, share of requests" in page("trackedmodel_change", model.pk),
        "form": 'name="max_refusal_rise"' in page("policy_change", Policy.objects.get().pk),
        "schema": "refused" in json.dumps(api.get("/api/schema?format=json").json()),
    }


if __name__ == "__main__":
    folder = sys.argv[1]
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "HOTSWAP_DATA_DIR": folder,
        "BENCHMARK_URLS": "config.urls",
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    }
    declare()
    import django

    django.setup()
    sys.stdout.write(json.dumps(told()))
