"""What is known, before a run, of the versions that it would ask, and of what it could show."""

from django.db.models import Avg, Q

from versioning.domain.evaluation.estimate import AskedVersion, Seen
from versioning.domain.statistics.noninferiority import Outlook, outlook
from versioning.models import EvaluationRun, EvaluationSuite, FrozenSuite, ModelVersion, Trial
from versioning.services import prices
from versioning.services.evidence import performance


def arm_of(version: ModelVersion, *, suite: EvaluationSuite) -> AskedVersion:
    """Return what is known of a version that a run of the suite would ask."""
    return AskedVersion(
        name=version.upstream_id,
        seen=_seen(version, suite),
        prices=prices.list_of(version),
    )


def outlook_of(frozen: FrozenSuite) -> Outlook:
    """Say how often an equal version passes a run of these cases.

    How often two versions answer a case differently is taken from the suite's latest run.
    """
    suite = frozen.suite
    done = EvaluationRun.objects.filter(frozen__suite=suite, state=EvaluationRun.State.DONE)
    latest = done.order_by("-pk").values_list("result", flat=True).first() or {}
    spread = latest.get("spread")
    return outlook(
        cases=frozen.case_count,
        margin=suite.margin_for(frozen.case_count),
        differing=None if spread is None else spread**2,
    )


def _seen(version: ModelVersion, suite: EvaluationSuite) -> Seen:
    """What its trials of this suite took, else those of others, else what its requests took."""
    trials = Trial.objects.done().filter(
        Q(run__from_version=version, arm=Trial.Arm.CURRENT)
        | Q(run__to_version=version, arm=Trial.Arm.CANDIDATE),
        output_tokens__isnull=False,
    )
    took = Avg("output_tokens"), Avg("latency_ms"), Avg("input_tokens")
    own = trials.filter(run__frozen__suite=suite).aggregate(*took)
    if own["output_tokens__avg"] is not None:
        return Seen(
            input_tokens=own["input_tokens__avg"],
            output_tokens=own["output_tokens__avg"],
            latency_ms=own["latency_ms__avg"],
        )
    other = trials.aggregate(*took)
    if other["output_tokens__avg"] is not None:
        return Seen(output_tokens=other["output_tokens__avg"], latency_ms=other["latency_ms__avg"])
    total = performance.figures(version_ids=[version.pk])[version.pk].total
    succeeded = total.samples - total.errors
    tokens = total.output_tokens / succeeded if succeeded and total.output_tokens else None
    return Seen(output_tokens=tokens, latency_ms=total.latency_p50_ms)
