"""Run an evaluation suite over the version in use and another one."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError, CommandParser

from versioning.domain.statistics.figures import counted
from versioning.management.service_command import ServiceCommand
from versioning.services import clock, serving
from versioning.services.actors import Actor
from versioning.services.evaluation import control, planning, running, suites
from versioning.services.upgrades import recommendation, selection


class Command(ServiceCommand):
    help = "Evaluate a version, such as: evaluate 'support answers' openrouter qwen-2.5-7b-instruct"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("suite", help="the suite's name")
        parser.add_argument("provider", help="the provider's short name")
        parser.add_argument("model", help="the tracked model's name")
        parser.add_argument("--to", default="", help="label or upstream id; default: recommended")
        parser.add_argument("--budget-usd", help="the most that it may cost")
        parser.add_argument("--budget-tokens", type=int, help="the most tokens that it may take")
        parser.add_argument("--estimate", action="store_true", help="say what it takes, and stop")

    def run(self, **options: Any) -> None:
        tracked = serving.tracked_model(provider=options["provider"], name=options["model"])
        before, after = selection.pair_to_compare(tracked=tracked, before="", after=options["to"])
        plan = planning.plan(
            suite=suites.suite_named(options["suite"]),
            from_version=before,
            to_version=after,
            now=clock.now(),
            budget_usd=_money(options["budget_usd"]),
            budget_tokens=options["budget_tokens"],
        )
        needed = plan.estimate
        cost = "unknown cost" if needed.cost_usd is None else f"about ${needed.cost_usd:.4f}"
        self.stdout.write(
            f"{counted(needed.requests, 'request')}, about "
            f"{counted(needed.input_tokens + needed.output_tokens, 'token')}, {cost}, "
            f"about {needed.seconds:.0f} s."
        )
        self.stdout.write(plan.outlook.sentence)
        if options["estimate"]:
            for problem in plan.problems:
                self.stdout.write(problem)
            return
        began = clock.now()
        run = planning.begin(plan=plan, actor=Actor.command(), now=began)
        running.carry_out(run_id=run.pk, worker=f"command {run.pk}")
        recommendation.refresh_tested(since=began, now=clock.now())
        ended = control.run_by_id(run.pk)
        self.stdout.write(
            f"{ended.get_state_display()}: ${ended.spent_usd:.4f}, "
            f"{counted(ended.spent_tokens, 'token')}."
        )
        if ended.problem:
            raise CommandError(ended.problem)
        self.stdout.write(ended.sentence)


def _money(text: str | None) -> Decimal | None:
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation as error:
        raise CommandError(f"--budget-usd: {text!r} is no amount.", returncode=2) from error
