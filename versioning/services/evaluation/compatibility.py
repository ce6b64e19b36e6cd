"""Would a version take what requests use? Those of a suite, and those that applications sent."""

from datetime import datetime

from versioning.domain.evaluation.estimate import Seen, usual_tokens
from versioning.domain.evaluation.parameters import read_map
from versioning.domain.evaluation.preflight import PreflightRow, Takes, Uses, preflight
from versioning.models import EvaluationSuite, ModelVersion
from versioning.services.evaluation import suites
from versioning.services.samples import request_uses


def preflight_of(*, suite: EvaluationSuite, version: ModelVersion) -> tuple[PreflightRow, ...]:
    """Compare what the suite's requests use with what the version's provider says it takes.

    The version's parameter map is applied. What must change comes first. Raises Invalid for a
    suite with a case that can't be read.
    """
    inputs = [
        usual_tokens(case.filled(), max_tokens=suite.max_tokens, seen=Seen()).input
        for case in suites.cases_of(suite)
    ]
    uses = Uses(
        parameters=dict.fromkeys(("max_tokens", *suite.parameters), 1.0),
        modalities={"text": 1.0},
        capabilities={},
        longest_input=max(inputs, default=0),
        longest_output=suite.max_tokens,
    )
    return _preflight(uses, version)


def preflight_of_requests(
    *, from_version: ModelVersion, to_version: ModelVersion, now: datetime
) -> tuple[PreflightRow, ...]:
    """Compare what requests to one version used in the last 30 days with what another takes.

    Otherwise as ``preflight_of``. Empty where no request told what it used.
    """
    recorded = request_uses.uses_of(version_id=from_version.pk, now=now)
    if recorded is None:
        return ()
    uses = Uses(
        parameters=recorded.parameters,
        modalities=recorded.modalities,
        capabilities={},
        longest_input=recorded.longest_input,
        longest_output=recorded.longest_output,
    )
    return _preflight(uses, to_version)


def _preflight(uses: Uses, version: ModelVersion) -> tuple[PreflightRow, ...]:
    takes = Takes(
        parameters=version.parameters,
        modalities=version.input_modalities,
        capabilities=version.capabilities,
        context_tokens=version.context_tokens,
        output_tokens=version.output_tokens,
    )
    return preflight(uses=uses, takes=takes, mapping=read_map(version.parameter_map or {}))
