"""What a trial asks, of whom, and how its answer is scored."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Self

from providers.base import Adapter, ChatRequest
from versioning.domain.evaluation import judging
from versioning.domain.evaluation.cases import Case
from versioning.domain.evaluation.parameters import read_map
from versioning.domain.pricing import PriceList
from versioning.domain.scoring import Score
from versioning.models import EvaluationRun, ModelVersion, Trial
from versioning.services import prices
from versioning.services.evaluation import suites, trials
from versioning.services.evaluation.planning import ANSWER_ARMS, JUDGE_ARMS
from versioning.services.evaluation.trials import Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, through which adapter, at which prices."""

    adapter: Adapter
    request: ChatRequest
    prices: PriceList


@dataclass(slots=True, kw_only=True)
class Questions:
    """Everything about a run that its trials share, read once."""

    run: EvaluationRun
    cases: dict[str, Case]
    adapters: dict[int, Adapter]
    calls: dict[int, Call] = field(default_factory=dict)

    @classmethod
    def of(cls, run: EvaluationRun) -> Self:
        """Read what the run needs. Raises ProviderError."""
        versions = [run.from_version, run.to_version]
        if run.judge_version is not None:
            versions.append(run.judge_version)
        providers = {version.tracked_model.provider_id: version for version in versions}
        return cls(
            run=run,
            cases=suites.frozen_cases(run.frozen),
            adapters={
                pk: version.tracked_model.provider.adapter() for pk, version in providers.items()
            },
        )

    def phases(self) -> list[tuple[Trial.Arm, ...]]:
        """The judge sees a pair when both answers are there."""
        return [ANSWER_ARMS, JUDGE_ARMS] if self.run.judge_version else [ANSWER_ARMS]

    def prepare(self, trial: Trial) -> Call | None:
        """Return what the trial asks; None for a pair of which an answer is missing."""
        version = self._version(trial)
        messages = (
            self._judge_messages(trial)
            if trial.arm in JUDGE_ARMS
            else self.cases[trial.case_key].filled()
        )
        if messages is None:
            return None
        call = Call(
            adapter=self.adapters[version.tracked_model.provider_id],
            request=self._request(version, messages, is_judge=trial.arm in JUDGE_ARMS),
            prices=prices.list_of(version),
        )
        self.calls[trial.pk] = call
        return call

    def prepared(self, trial: Trial) -> Call:
        """Return what the trial has asked."""
        return self.calls[trial.pk]

    def score(self, trial: Trial, answered: Answered, *, cost: Decimal | None) -> Score:
        """Score the trial's answer; the judge's own word is read, not scored."""
        if trial.arm in JUDGE_ARMS:
            return trials.judged(answered)
        case = self.cases[trial.case_key]
        return trials.score(
            answered,
            expected=case.expected,
            uses=suites.scorers_for(case, frozen=self.run.frozen),
            cost=cost,
        )

    def _version(self, trial: Trial) -> ModelVersion:
        if trial.arm == Trial.Arm.CURRENT:
            return self.run.from_version
        if trial.arm == Trial.Arm.CANDIDATE:
            return self.run.to_version
        judge = self.run.judge_version
        if judge is None:
            raise ValueError(f"Trial {trial.pk} is the judge's, and run {self.run.pk} has none.")
        return judge

    def _request(
        self, version: ModelVersion, messages: list[dict[str, str]], *, is_judge: bool
    ) -> ChatRequest:
        suite = self.run.frozen.suite
        if is_judge:
            return ChatRequest(
                model=version.upstream_id,
                messages=messages,
                max_tokens=judging.MAX_TOKENS,
                timeout_s=suite.timeout_seconds,
                safe_to_repeat=True,
            )
        parameters = dict(self.run.frozen.content["parameters"])
        most = parameters.pop("max_tokens")
        mapped = read_map(version.parameter_map or {}).apply(parameters)
        temperature = mapped.pop("temperature", None)
        request = ChatRequest(
            model=version.upstream_id,
            messages=messages,
            max_tokens=most,
            parameters=mapped,
            timeout_s=suite.timeout_seconds,
            safe_to_repeat=True,
        )
        return replace(request, temperature=temperature)

    def _judge_messages(self, trial: Trial) -> list[dict[str, str]] | None:
        pair = {
            other.arm: other
            for other in self.run.trials.done().filter(
                case_key=trial.case_key, repeat=trial.repeat, arm__in=ANSWER_ARMS
            )
        }
        answers = [pair.get(arm) for arm in ANSWER_ARMS]
        texts = [answer.output for answer in answers if answer is not None and answer.output]
        if len(texts) < len(ANSWER_ARMS):
            return None
        if trial.arm == Trial.Arm.JUDGE_SWAPPED:
            texts.reverse()
        case = self.cases[trial.case_key]
        return judging.question(
            request=case.filled()[-1]["content"],
            expected=case.expected,
            first=texts[0],
            second=texts[1],
            criteria=self.run.frozen.suite.judge_criteria,
        )
