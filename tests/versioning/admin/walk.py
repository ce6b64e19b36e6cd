"""A world with rows of everything, and the address of every page that shows it."""

from decimal import Decimal

from django.contrib import admin
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from tests.factories import NOW
from tests.versioning.admin.test_pages import make_rows
from versioning.models import EvaluationSuite, UpgradeRecord
from versioning.services.actors import Actor
from versioning.services.samples import ingestion
from versioning.services.samples.incoming import SampleIn
from versioning.services.upgrades import decisions

EVIDENCE = {
    "sentence": "Better: quality 0.82 -> 0.86",
    "decision": "NOT ENOUGH EVIDENCE",
    "reasons": ["error rate 0.5% -> 0.4%: within the limit, not surely"],
    "judgement": {"verdict": "better", "estimate": 0.04, "low": 0.004, "high": 0.076},
    "gates": [
        {
            "name": "errors", "status": "unsure", "reason": "error rate: not surely within it",
            "limit": "0.01", "value": "-0.001", "low": -0.018, "high": 0.016,
        },
        {
            "name": "latency_p95", "status": "failed", "reason": "latency: surely more",
            "limit": "0.2", "value": "0.5", "low": 0.4, "high": None,
        },
    ],
    "missing": ["tests"],
}  # fmt: skip


def make_world() -> None:
    """Make two rows of everything, evidence with plots, and one upgrade that has moved."""
    make_rows(2)
    EvaluationSuite.objects.create(name="sums", scorers=["number"], max_tokens=20, budget_usd=1)
    waiting = UpgradeRecord.objects.filter(state="recommended")
    waiting.update(evidence=EVIDENCE)
    samples = [
        SampleIn(
            provider=each.tracked_model.provider.slug, model=each.tracked_model.name,
            time=timezone.now(), quality=n % 2, latency_ms=90 + n, task="sums",
            resolved_id=version.upstream_id, cost_usd=Decimal("0.001") * (1 + m),
        )
        for m, each in enumerate(waiting)
        for version in (each.from_version, each.to_version)
        for n in range(32)
    ]  # fmt: skip
    ingestion.accept(samples, api_key_id=None, now=timezone.now())
    first = waiting.earliest("pk")
    decisions.approve(
        record_id=first.pk, actor=Actor.command(), now=NOW, evidence_hash=first.evidence_hash
    )


def of_registry(staff: object) -> list[str]:
    """Return the list of each registered model, its empty form, and one row with its history."""
    request = RequestFactory().get("/")
    request.user = staff
    found = []
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        if pages.has_add_permission(request):
            found.append(reverse(f"{name}_add"))
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            found += [reverse(f"{name}_{each}", args=[row.pk]) for each in ("change", "history")]
    return found


def of_decisions() -> list[str]:
    """Return the pages that decide, and those beside the registry."""
    record = UpgradeRecord.objects.filter(state="recommended").latest("pk")
    moved = UpgradeRecord.objects.filter(state="completed").latest("pk")
    suite = EvaluationSuite.objects.latest("pk")
    more = ("cases", "run")
    names = ("approve", "reject", "snooze", "why", "change")
    compare = reverse("admin:versioning_modelversion_compare")
    return [
        compare,
        f"{compare}?from={record.from_version_id}&to={record.to_version_id}",
        reverse("admin:index"),
        reverse("admin:password_change"),
        reverse("admin:versioning_trackedmodel_first_steps"),
        reverse("admin:versioning_modelversion_best") + "?task=sums",
        reverse("admin:versioning_upgraderecord_held"),
        reverse("admin:versioning_trackedmodel_retirements"),
        reverse("admin:versioning_trackedmodel_pin", args=[record.tracked_model_id]),
        reverse(
            "admin:versioning_trackedmodel_move",
            args=[record.tracked_model_id, record.to_version_id],
        ),
        reverse("admin:versioning_trackedmodel_now", args=[record.tracked_model_id]),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]),
        reverse("admin:versioning_upgraderecord_change", args=[moved.pk]),
        *(reverse(f"admin:versioning_upgraderecord_{name}", args=[record.pk]) for name in names),
        *(reverse(f"admin:versioning_evaluationsuite_{name}", args=[suite.pk]) for name in more),
    ]
