"""Evaluation suites and runs."""

from typing import Any, ClassVar

from rest_framework import serializers

from versioning.api.serializers.fields import FORM_FIELDS, Moment, Paging, Shaped
from versioning.api.serializers.performance import Usd
from versioning.api.serializers.versions import VersionNameSerializer
from versioning.domain.evaluation.judging import Preference
from versioning.domain.evaluation.preflight import Fit
from versioning.models import EvaluationRun, EvaluationSuite

RUN_STATES = list(EvaluationRun.State.values)
PREFERENCES = [preference.value for preference in Preference]


class SuiteFormSerializer(serializers.ModelSerializer[EvaluationSuite]):
    """How a suite's cases are asked and scored."""

    serializer_field_mapping: ClassVar[Any] = FORM_FIELDS

    class Meta:
        model = EvaluationSuite
        fields: tuple[str, ...] = (
            "name",
            "description",
            "task",
            "template",
            "parameters",
            "max_tokens",
            "repeats",
            "scorers",
            "margin",
            "keep_outputs",
            "judge",
            "judge_criteria",
            "judge_of_own_family",
            "budget_usd",
            "budget_tokens",
            "concurrency",
            "requests_per_minute",
            "timeout_seconds",
        )
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "judge": {"help_text": "Id of a tracked model that compares the two answers."},
            "scorers": {"shape": {"type": "array", "items": {}}},  # names, or objects
        }


class SuiteChange(SuiteFormSerializer):
    """The fields that change."""

    class Meta(SuiteFormSerializer.Meta):
        extra_kwargs: ClassVar[dict[str, Any]] = {
            **SuiteFormSerializer.Meta.extra_kwargs,
            "name": {"required": False, "validators": []},
        }


class SuiteSerializer(SuiteFormSerializer):
    """Test cases with scorers."""

    cases = serializers.IntegerField(source="cases_in_it", help_text="How many it has.")

    class Meta(SuiteFormSerializer.Meta):
        fields = ("id", *SuiteFormSerializer.Meta.fields, "cases")


class CaseChange(serializers.Serializer[Any]):
    """The fields that change."""

    key = serializers.CharField(required=False, max_length=100)
    content = Shaped(required=False, help_text="The whole case but its key, as in an import.")


class CaseSerializer(serializers.Serializer[Any]):
    """One test case of a suite, as it is now; a run keeps what it was."""

    id = serializers.IntegerField()
    key = serializers.CharField(help_text="Its name within the suite.")
    content = Shaped(help_text="Messages, what is expected, tags, weight, scorers.")


class CasesQuery(Paging):
    search = serializers.CharField(
        required=False, max_length=100, help_text="A part of the key, in any case."
    )


class FileQuery(serializers.Serializer[Any]):
    form = serializers.ChoiceField(choices=["jsonl", "csv"], required=False)


class ImportQuery(serializers.Serializer[Any]):
    replace = serializers.BooleanField(default=False, help_text="Remove all other cases?")


class CasesRequest(serializers.Serializer[Any]):
    cases = serializers.ListField(
        child=Shaped(), max_length=10_000, help_text="As in docs/evaluation.md."
    )
    replace = serializers.BooleanField(default=False, help_text="Remove all other cases?")


class UnreadCaseSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="Its place, from 1 on.")
    why = serializers.CharField()


class CasesSerializer(serializers.Serializer[Any]):
    """What became of the cases."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField(help_text="Known ones that say something else now.")
    unchanged = serializers.IntegerField(help_text="Known ones that say the same as before.")
    removed = serializers.IntegerField(help_text="With `replace`: those that the import has not.")
    not_removed = serializers.IntegerField(
        help_text="Those that were to be removed, and stay: a rejected case may stand for them."
    )
    rejected = UnreadCaseSerializer(many=True)


class RunRequest(serializers.Serializer[Any]):
    suite = serializers.CharField(max_length=100, help_text="The suite's name.")
    to_version = serializers.IntegerField(
        help_text="Id of the version to test against the one in use."
    )
    budget_usd = serializers.DecimalField(
        max_digits=14, decimal_places=8, min_value=0, required=False
    )
    budget_tokens = serializers.IntegerField(min_value=1, required=False)


class BudgetRequest(serializers.Serializer[Any]):
    budget_usd = serializers.DecimalField(
        max_digits=14, decimal_places=8, min_value=0, required=False
    )
    budget_tokens = serializers.IntegerField(min_value=1, required=False)


class RulingRequest(serializers.Serializer[Any]):
    passes = serializers.BooleanField(help_text="Does the run pass as a test of its upgrade?")


class FitSerializer(serializers.Serializer[Any]):
    """One thing that requests use, and whether the version takes it."""

    what = serializers.CharField()
    fit = serializers.ChoiceField(choices=[fit.value for fit in Fit])
    share = serializers.FloatField(help_text="The share of requests that use it, 0 to 1.")
    sentence = serializers.CharField()


class RunOutlookSerializer(serializers.Serializer[Any]):
    """How often an equal version passes, and what it takes to pass in 80 %."""

    cases = serializers.IntegerField()
    margin = serializers.FloatField(help_text="How much lower the score may be, in points.")
    passes = serializers.FloatField(help_text="The share of runs, 0 to 1.")
    cases_needed = serializers.IntegerField(help_text="With this margin.")
    margin_needed = serializers.FloatField(help_text="With these cases.")
    sentence = serializers.CharField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What a run would take, and what its version would refuse."""

    requests = serializers.IntegerField(source="estimate.requests")
    input_tokens = serializers.IntegerField(source="estimate.input_tokens")
    output_tokens = serializers.IntegerField(source="estimate.output_tokens")
    cost_usd = Usd(source="estimate.cost_usd")
    seconds = serializers.FloatField(source="estimate.seconds")
    outlook = RunOutlookSerializer()
    problems = serializers.ListField(
        child=serializers.CharField(), help_text="Why it can't start; empty where it can."
    )
    suite_fits = FitSerializer(many=True, help_text="What the suite's requests use.")
    recorded_fits = FitSerializer(
        many=True,
        help_text="What applications' requests to the version in use used in the last 30 days.",
    )


class RunSerializer(serializers.Serializer[Any]):
    """One pass of a suite over two versions."""

    id = serializers.IntegerField()
    suite = serializers.CharField(source="frozen.suite.name")
    suite_hash = serializers.CharField(source="frozen.digest")
    from_version = VersionNameSerializer()
    to_version = VersionNameSerializer()
    record_id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=RUN_STATES)
    asked_by = serializers.CharField()
    created_at = Moment()
    started_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)
    total = serializers.IntegerField(help_text="How many requests it takes.")
    done = serializers.IntegerField()
    estimated_usd = Usd()
    estimated_tokens = serializers.IntegerField()
    estimated_seconds = serializers.FloatField()
    budget_usd = Usd()
    budget_tokens = serializers.IntegerField(allow_null=True)
    spent_usd = Usd()
    spent_tokens = serializers.IntegerField()
    problem = serializers.CharField()
    verdict = serializers.CharField(help_text="better, not_worse, worse or not_enough_data.")
    sentence = serializers.CharField()
    ruling = serializers.CharField(
        help_text="passes or fails: what a person decided of a run that can't tell; else empty."
    )
    ruled_by = serializers.CharField()
    ruled_at = Moment(allow_null=True)
    result = Shaped()


class TrialSerializer(serializers.Serializer[Any]):
    """What one version answered."""

    outcome = serializers.CharField()
    reason = serializers.CharField()
    latency_ms = serializers.FloatField(allow_null=True)
    input_tokens = serializers.IntegerField(allow_null=True)
    output_tokens = serializers.IntegerField(allow_null=True)
    cost_usd = Usd()
    output = serializers.CharField(help_text="Empty unless the suite keeps answers.")


class PairSerializer(serializers.Serializer[Any]):
    """Both answers to a case in one repeat."""

    case_key = serializers.CharField()
    repeat = serializers.IntegerField()
    current = TrialSerializer()
    candidate = TrialSerializer()
    current_score = serializers.FloatField(allow_null=True, help_text="0 to 1.")
    candidate_score = serializers.FloatField(allow_null=True)
    preference = serializers.CharField(allow_null=True, help_text="What the judge prefers.")


class MarkRequest(serializers.Serializer[Any]):
    case_key = serializers.CharField(max_length=100)
    repeat = serializers.IntegerField(min_value=0, max_value=32_767, default=1)
    prefers = serializers.ChoiceField(
        choices=PREFERENCES, help_text="Whose answer is better; same for neither."
    )


class MarkSerializer(serializers.Serializer[Any]):
    """Which answer of a pair somebody finds better."""

    case_key = serializers.CharField()
    repeat = serializers.IntegerField()
    prefers = serializers.ChoiceField(choices=PREFERENCES)
    made_by = serializers.CharField()
    made_at = Moment()


class RunsQuery(Paging):
    state = serializers.ChoiceField(required=False, choices=RUN_STATES)
    suite = serializers.CharField(required=False, max_length=100)
