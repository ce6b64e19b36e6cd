"""Evaluation suites and their runs: cases in and out, an estimate before, answers after."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from versioning.admin import fragments, words
from versioning.admin.base import (
    Admin,
    HistoryAdmin,
    SetUpPages,
    WithPanel,
    WithPast,
    actor_of,
    caller_of,
    may_set_up,
)
from versioning.admin.evaluation_forms import CasesForm, GoOnForm, RunForm
from versioning.admin.suite_forms import CaseForm, SuiteForm
from versioning.domain.evaluation.preflight import PreflightRow
from versioning.domain.evidence import UnreadRun, read_run
from versioning.models import EvaluationCase, EvaluationRun, EvaluationSuite, ModelVersion
from versioning.services import clock
from versioning.services.errors import ServiceError
from versioning.services.evaluation import compatibility, control, planning, results, suites

SHOWN_CASES = 10
SHOWN_PAIRS = 200


@admin.register(EvaluationSuite)
class EvaluationSuiteAdmin(SetUpPages, Admin, WithPast):
    when_empty = gettext_lazy("A suite holds test cases and tests a version before it is used.")
    next_step = gettext_lazy("Import its cases, then run it.")
    form = SuiteForm
    list_display = ("name", "task", "case_count", "budget", "keep_outputs")
    search_fields = ("name", "task")
    autocomplete_fields = ("judge",)
    fieldsets = (
        (None, {"fields": ("name", "description", "task")}),
        (
            gettext_lazy("What is asked"),
            {"fields": ("template", "parameters", "max_tokens", "repeats")},
        ),
        (gettext_lazy("How it is scored"), {"fields": ("scorers", "margin", "keep_outputs")}),
        (gettext_lazy("Judge"), {"fields": ("judge", "judge_criteria", "judge_of_own_family")}),
        (
            gettext_lazy("Limits"),
            {
                "fields": (
                    "budget_usd",
                    "budget_tokens",
                    "concurrency",
                    "requests_per_minute",
                    "timeout_seconds",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        suites_shown: Any = super().get_queryset(request)
        counted: QuerySet[Any] = suites_shown.with_counts()
        return counted

    @admin.display(description=gettext_lazy("cases"), ordering="cases_in_it")
    def case_count(self, suite: Any) -> int:
        return int(suite.cases_in_it)

    @admin.display(description=gettext_lazy("budget"), ordering="budget_usd")
    def budget(self, suite: EvaluationSuite) -> str | None:
        return words.usd(suite.budget_usd)

    def get_urls(self) -> list[URLPattern]:
        pages = (("cases", self.cases), ("run", self.run), ("export", self.export))
        return [
            *(
                self.further_page(f"<int:suite_id>/{name}/", view, name=name)
                for name, view in pages
            ),
            *super().get_urls(),
        ]

    def cases(self, request: HttpRequest, suite_id: int) -> HttpResponse:
        """Read cases from a file: show what they are, then store them."""
        suite = get_object_or_404(EvaluationSuite, pk=suite_id)
        if not self.has_change_permission(request, suite):
            raise PermissionDenied
        form = CasesForm(request.POST or None, request.FILES or None, suite=suite)
        read = form.read() if form.is_valid() else None
        if read is not None and read.cases and "store" in request.POST:
            stored = suites.import_cases(
                suite=suite, read=read, replace=form.cleaned_data["replace"]
            )
            messages.success(request, stored.sentence)
            return HttpResponseRedirect(_suite_page(suite))
        return TemplateResponse(
            request,
            "admin/versioning/evaluationsuite/cases.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Cases of %(suite_name)s") % {"suite_name": suite.name},
                "opts": self.opts,
                "belongs_to": suite,
                "suite": suite,
                "form": form,
                "read": read,
                "shown": read.cases[:SHOWN_CASES] if read else (),
            },
        )

    def export(self, request: HttpRequest, suite_id: int) -> HttpResponse:
        """Hand out the cases as a file."""
        suite = get_object_or_404(EvaluationSuite, pk=suite_id)
        if not self.has_view_permission(request, suite):
            raise PermissionDenied
        form: suites.Form = "csv" if request.GET.get("form") == "csv" else "jsonl"
        kind = "text/csv" if form == "csv" else "application/jsonl"
        answer = HttpResponse(suites.export_cases(suite=suite, form=form), content_type=kind)
        answer["Content-Disposition"] = f'attachment; filename="cases-{suite.pk}.{form}"'
        return answer

    def run(self, request: HttpRequest, suite_id: int) -> HttpResponse:
        """Show what a run would take, then start it."""
        suite = get_object_or_404(EvaluationSuite, pk=suite_id)
        if not request.user.has_perm("versioning.add_evaluationrun"):
            raise PermissionDenied
        form = RunForm(
            request.POST or None,
            initial={
                "budget_usd": suite.budget_usd and f"{suite.budget_usd.normalize():f}",
                "to_version": request.GET.get("to_version"),
            },
            caller=caller_of(request),
        )
        plan: planning.Plan | None = None
        fits: tuple[PreflightRow, ...] = ()
        recorded: tuple[PreflightRow, ...] = ()
        if form.is_valid():
            try:
                fits = compatibility.preflight_of(
                    suite=suite, version=form.cleaned_data["to_version"]
                )
                recorded = _recorded(form.cleaned_data["to_version"])
                plan = planning.plan(suite=suite, now=clock.now(), **form.arguments())
                if "start" in request.POST and not plan.problems:
                    run = planning.begin(plan=plan, actor=actor_of(request), now=clock.now())
                    return HttpResponseRedirect(_run_page(run))
            except ServiceError as error:
                form.add_error(None, str(error))
        return TemplateResponse(
            request,
            "admin/versioning/evaluationsuite/run.html",
            {
                **self.admin_site.each_context(request),
                "title": _("Run %(suite_name)s") % {"suite_name": suite.name},
                "opts": self.opts,
                "belongs_to": suite,
                "suite": suite,
                "form": form,
                "plan": plan,
                "fits": fits,
                "recorded": recorded,
            },
        )


def _recorded(version: ModelVersion) -> tuple[PreflightRow, ...]:
    """Say what of the applications' own requests the version takes."""
    current = version.tracked_model.current_version
    if current is None:
        return ()
    return compatibility.preflight_of_requests(
        from_version=current, to_version=version, now=clock.now()
    )


@admin.register(EvaluationCase)
class EvaluationCaseAdmin(SetUpPages, Admin):
    when_empty = gettext_lazy("Cases come from a file: open a suite, then Import cases.")
    form = CaseForm
    list_display = ("key", "suite")
    list_filter = ("suite",)
    list_select_related = ("suite",)
    search_fields = ("key",)
    ordering = ("suite__name", "key")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A case may go: runs keep what it was."""
        return may_set_up(request, "versioning.delete_evaluationcase", obj)


@admin.register(EvaluationRun)
class EvaluationRunAdmin(WithPanel, HistoryAdmin):
    """What came of each run; the newest first."""

    when_empty = gettext_lazy("Open a suite with cases, then Run it. Policies start runs, too.")
    list_display = (
        "suite",
        "versions",
        "state_shown",
        "progress",
        "cost",
        "sentence_shown",
        "created",
    )
    list_filter = ("state",)
    search_fields = ("frozen__suite__name", "to_version__upstream_id")
    ordering = ("-pk",)
    is_large = True
    fields = ("asked_by", "created_at", "started_at", "ended_at", "suite_then")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        runs: Any = super().get_queryset(request)
        counted: QuerySet[Any] = runs.select_related(
            "frozen__suite", "from_version", "to_version__tracked_model__provider"
        ).with_counts()
        return counted

    @admin.display(description=gettext_lazy("suite, as it was then"))
    def suite_then(self, run: EvaluationRun) -> str:
        return str(run.frozen)

    @admin.display(description=gettext_lazy("suite"), ordering="frozen__suite__name")
    def suite(self, run: EvaluationRun) -> str:
        return run.frozen.suite.name

    @admin.display(description=gettext_lazy("versions"))
    def versions(self, run: EvaluationRun) -> str:
        return _versions(run)

    @admin.display(description=gettext_lazy("state"))
    def state_shown(self, run: EvaluationRun) -> SafeString:
        return words.run_state(run)

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, run: Any) -> str:
        return f"{run.done:,} of {run.total:,}"

    @admin.display(description=gettext_lazy("cost so far"))
    def cost(self, run: EvaluationRun) -> str | None:
        return None if _is_unpriced(run) else words.usd(run.spent_usd)

    @admin.display(description=gettext_lazy("verdict"))
    def sentence_shown(self, run: EvaluationRun) -> str:
        return words.code_words(run.verdict)

    @admin.display(description=gettext_lazy("asked"), ordering="created_at")
    def created(self, run: EvaluationRun) -> SafeString:
        return words.ago(run.created_at, now=clock.now())

    def get_urls(self) -> list[URLPattern]:
        pages = (
            ("cancel", self.cancel),
            ("go-on", self.go_on),
            ("rule", self.rule),
            ("mark", self.mark),
        )
        return [
            *(
                self.further_page(
                    f"<int:run_id>/{name}/", require_POST(view), name=name.replace("-", "_")
                )
                for name, view in pages
            ),
            self.further_page("<int:run_id>/live/", require_GET(self.live), name="live"),
            *super().get_urls(),
        ]

    def live(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Return how far a run is, as a piece of its page; 304 where it is as it was."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        run = get_object_or_404(self.get_queryset(request), pk=run_id)
        context = {**_progress_of(run), "has_ended_meanwhile": not run.is_open}
        return fragments.answer(request, "admin/versioning/evaluationrun/progress.html", context)

    def panel_of(self, row: Any, request: HttpRequest) -> dict[str, Any]:
        return _page_of(row, request)

    def cancel(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Stop a run."""
        _need_change(request)
        return _said(
            request,
            run_id,
            lambda: control.cancel(run_id=run_id, actor=actor_of(request), now=clock.now()),
            _("Cancelled: nothing more is asked."),
        )

    def go_on(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Let a stopped run go on, with another budget if one is given."""
        _need_change(request)
        form = GoOnForm(request.POST)
        if not form.is_valid():
            messages.error(request, _("A budget is a number above 0."))
            return HttpResponseRedirect(_run_page(control.run_by_id(run_id)))
        return _said(
            request,
            run_id,
            lambda: control.go_on(run_id=run_id, now=clock.now(), **form.cleaned_data),
            _("It goes on with what is left."),
        )

    def rule(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Decide of a run that can't tell whether it passes."""
        _need_change(request)
        passes = request.POST.get("ruling") == "passes"
        return _said(
            request,
            run_id,
            lambda: control.rule(
                run_id=run_id, passes=passes, actor=actor_of(request), now=clock.now()
            ),
            _("Kept: the upgrade goes on.") if passes else _("Kept: the upgrade ends as failed."),
        )

    def mark(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Keep which answer of a pair a person finds better."""
        _need_change(request)
        repeat = request.POST.get("repeat", "")
        return _said(
            request,
            run_id,
            lambda: control.mark(
                run_id=run_id,
                case_key=request.POST.get("case_key", ""),
                repeat=int(repeat) if repeat.isdigit() else 0,
                prefers=request.POST.get("prefers", ""),
                actor=actor_of(request),
                now=clock.now(),
            ),
            "Kept.",
        )


def _versions(run: EvaluationRun) -> str:
    name = run.to_version.tracked_model.name
    return f"{name} {run.from_version.label} → {run.to_version.label}"


def _is_unpriced(run: EvaluationRun) -> bool:
    """Say whether nobody knows what it costs: nothing was spent only where a price is known."""
    return run.estimated_usd is None and not run.spent_usd


def _spent(run: EvaluationRun) -> str:
    """Say what it cost so far."""
    if _is_unpriced(run):
        return _("Cost unknown (a price is missing)")
    return words.usd(run.spent_usd) or _("Cost unknown")


def _page_of(run: Any, request: HttpRequest) -> dict[str, Any]:
    found = results.pairs(run.trials.done()) if not run.is_open else []
    result = read_run(run.result)
    flips = results.furthest_first(found)
    return {
        "named": f"{run.frozen.suite.name}: {_versions(run)}",
        **_progress_of(run),
        "unread": result if isinstance(result, UnreadRun) else None,
        "arms": result.arms,
        "pairs": flips[:SHOWN_PAIRS],
        "more_pairs": max(0, len(flips) - SHOWN_PAIRS),
        "agreement": results.agreement_of(run) if run.judge_version_id else None,
        "may_change": request.user.has_perm("versioning.change_evaluationrun"),
        "may_go_on": run.state in control.GOES_ON,
        "go_on_form": GoOnForm(),
        "may_rule": run.record_id is not None and control.can_rule_on(run),
    }


def _progress_of(run: Any) -> dict[str, Any]:
    return {
        "run": run,
        "spent": _spent(run),
        "estimated": words.usd(run.estimated_usd),
        "budget": words.usd(run.budget_usd),
        "run_state": words.run_state(run),
    }


def _need_change(request: HttpRequest) -> None:
    if not request.user.has_perm("versioning.change_evaluationrun"):
        raise PermissionDenied


def _said(request: HttpRequest, run_id: int, work: Any, sentence: str) -> HttpResponse:
    try:
        work()
    except ServiceError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, sentence)
    return HttpResponseRedirect(reverse("admin:versioning_evaluationrun_change", args=[run_id]))


def _suite_page(suite: EvaluationSuite) -> str:
    return reverse("admin:versioning_evaluationsuite_change", args=[suite.pk])


def _run_page(run: EvaluationRun) -> str:
    return reverse("admin:versioning_evaluationrun_change", args=[run.pk])
