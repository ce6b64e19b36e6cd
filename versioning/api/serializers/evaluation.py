"""Evaluation suites and runs."""

from typing import Any

from rest_framework import serializers

from versioning.api.serializers.fields import Moment, Paging
from versioning.api.serializers.performance import Usd
from versioning.api.serializers.versions import VersionNameSerializer
from versioning.models import EvaluationRun

RUN_STATES = list(EvaluationRun.State.values)


class SuiteSerializer(serializers.Serializer[Any]):
    """Test cases with scorers."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    task = serializers.CharField()
    scorers = serializers.JSONField()
    parameters = serializers.JSONField()
    max_tokens = serializers.IntegerField()
    repeats = serializers.IntegerField()
    budget_usd = Usd()
    budget_tokens = serializers.IntegerField(allow_null=True)
    keep_outputs = serializers.BooleanField()
    cases = serializers.IntegerField(source="case_count")


class CasesRequest(serializers.Serializer[Any]):
    cases = serializers.ListField(
        child=serializers.JSONField(), max_length=10_000, help_text="As in docs/evaluation.md."
    )
    replace = serializers.BooleanField(default=False, help_text="Remove all other cases?")


class UnreadCaseSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="Its place, from 1 on.")
    why = serializers.CharField()


class CasesSerializer(serializers.Serializer[Any]):
    """What became of the cases."""

    new = serializers.IntegerField()
    changed = serializers.IntegerField()
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
    result = serializers.JSONField()


class RunsQuery(Paging):
    state = serializers.ChoiceField(required=False, choices=RUN_STATES)
    suite = serializers.CharField(required=False, max_length=100)
