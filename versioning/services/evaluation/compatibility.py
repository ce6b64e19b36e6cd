"""Would a version take what a suite's requests use? Asked before a run, and free of charge."""

from versioning.domain.evaluation.estimate import Seen, usual_tokens
from versioning.domain.evaluation.parameters import read_map
from versioning.domain.evaluation.preflight import Row, Takes, Uses, preflight
from versioning.models import EvaluationSuite, ModelVersion
from versioning.services.evaluation import suites


def preflight_of(*, suite: EvaluationSuite, version: ModelVersion) -> tuple[Row, ...]:
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
    takes = Takes(
        parameters=version.parameters,
        modalities=version.input_modalities,
        capabilities=version.capabilities,
        context_tokens=version.context_tokens,
        output_tokens=version.output_tokens,
    )
    return preflight(uses=uses, takes=takes, mapping=read_map(version.parameter_map or {}))
