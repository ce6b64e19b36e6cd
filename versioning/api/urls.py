"""Addresses of the API: each with a version and without, with a slash at its end and without."""

from collections.abc import Callable
from typing import Any

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from versioning.api import ingest, problems, traces
from versioning.api.operations import UNVERSIONED, V1
from versioning.api.views import (
    calendars,
    checks,
    current,
    discussion,
    emergencies,
    evaluation,
    events,
    evidence,
    health,
    history,
    mail,
    metrics,
    moves,
    notices,
    policies,
    providers,
    recipients,
    recommendations,
    rollout,
    samples,
    schedules,
    slice_tags,
    suites,
    tracked_models,
    webhooks,
)

View = Callable[..., HttpResponseBase]


def both(route: str, view: View, name: str) -> list[URLPattern]:
    """Return the address without and with a slash at its end, and those of the version for it."""
    found = [path(route, view, name=name), path(f"{route}/", view)]
    if f"/{route}".startswith(UNVERSIONED):
        versioned = f"/{route}".replace(UNVERSIONED, V1, 1).removeprefix("/")
        found += [path(versioned, view), path(f"{versioned}/", view)]
    return found


def of_model(end: str, view: View, name: str) -> list[URLPattern]:
    """Return the addresses of something of a tracked model, whose name may hold slashes."""
    return both(f"api/model-versions/<slug:provider>/<path:model>/{end}", view, name)


RECOMMENDATIONS = "api/model-versions/upgrade-recommendations"
MODELS = "api/tracked-models"
SUITES = "api/evaluation-suites"

urlpatterns: list[Any] = [
    *of_model("current", current.CurrentView.as_view(), "current"),  # asked most: tried first
    *both("livez", health.livez, "livez"),
    *both("readyz", health.readyz, "readyz"),
    *both("metrics", metrics.MetricsView.as_view(), "metrics"),
    # Fixed addresses first: a provider may not be called as one of them.
    *both(RECOMMENDATIONS, recommendations.RecommendationsView.as_view(), "recommendations"),
    *both(
        f"{RECOMMENDATIONS}/<int:id>",
        recommendations.RecommendationView.as_view(),
        "recommendation",
    ),
    *both(f"{RECOMMENDATIONS}/<int:id>/why", recommendations.ExplanationView.as_view(), "why"),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/evidence",
        recommendations.EvidenceLayersView.as_view(),
        "evidence-layers",
    ),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/audit-trail",
        recommendations.AuditTrailView.as_view(),
        "audit-trail",
    ),
    *both(f"{RECOMMENDATIONS}/<int:id>/comments", discussion.CommentsView.as_view(), "comments"),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/comments/<int:comment_id>/withdraw",
        discussion.WithdrawView.as_view(),
        "withdraw-request",
    ),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/comments/<int:comment_id>/override",
        discussion.OverrideView.as_view(),
        "override-request",
    ),
    *both(f"{RECOMMENDATIONS}/<int:id>/approve", recommendations.ApproveView.as_view(), "approve"),
    *both(f"{RECOMMENDATIONS}/<int:id>/reject", recommendations.RejectView.as_view(), "reject"),
    *both(f"{RECOMMENDATIONS}/<int:id>/snooze", recommendations.SnoozeView.as_view(), "snooze"),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/canary/approve",
        rollout.ApproveCanaryStepView.as_view(),
        "approve-canary-step",
    ),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/canary/resume",
        rollout.ResumeCanaryView.as_view(),
        "resume-canary",
    ),
    *both(
        f"{RECOMMENDATIONS}/<int:id>/canary/abort",
        rollout.AbortCanaryView.as_view(),
        "abort-canary",
    ),
    *both("api/model-versions/best", evidence.BestView.as_view(), "best"),
    *of_model("history", history.HistoryView.as_view(), "history"),
    *of_model("upgrades", history.UpgradesView.as_view(), "upgrades"),
    *of_model("upgrade", moves.UpgradeView.as_view(), "upgrade"),
    *of_model("auto-upgrade", moves.AutoUpgradeView.as_view(), "auto-upgrade"),
    *of_model("rollback", moves.RollbackView.as_view(), "rollback"),
    *of_model("emergency", emergencies.EmergencyMoveView.as_view(), "move-in-emergency"),
    *of_model("compare", evidence.CompareView.as_view(), "compare"),
    *of_model("explain", rollout.OutlookView.as_view(), "explain"),
    *of_model("policy", policies.ModelPolicyView.as_view(), "model-policy"),
    *of_model("why", recommendations.ModelExplanationView.as_view(), "model-why"),
    *both("api/performance-samples", ingest.performance_samples, "performance-samples"),
    *both("api/performance-samples/scores", ingest.scores, "scores"),
    *both(
        "api/performance-samples/<path:request_id>/scores",
        ingest.scores_of_request,
        "scores-of-request",
    ),
    *both("api/performance-samples/<int:id>", samples.SampleView.as_view(), "performance-sample"),
    re_path("^api/(?:v1/)?samples/?$", samples.SamplesView.as_view()),  # an older name
    *both("v1/traces", traces.export, "traces"),
    *both("api/checks", checks.ChecksView.as_view(), "checks"),
    *both("api/checks/<int:id>", checks.CheckView.as_view(), "check"),
    *both("api/findings", checks.FindingsView.as_view(), "findings"),
    *both("api/provider-kinds", providers.KindsView.as_view(), "provider-kinds"),
    *both("api/providers", providers.ProvidersView.as_view(), "providers"),
    *both("api/providers/<slug:slug>", providers.ProviderView.as_view(), "provider"),
    *both("api/providers/<slug:slug>/test", providers.ConnectionTestView.as_view(), "test"),
    *both(
        "api/providers/<slug:slug>/release-key", providers.KeyReleaseView.as_view(), "release-key"
    ),
    *both("api/providers/<slug:slug>/models", providers.CatalogueView.as_view(), "catalogue"),
    *both("api/providers/<slug:slug>/aliases", providers.AliasesView.as_view(), "aliases"),
    *both(MODELS, tracked_models.TrackedModelsView.as_view(), "tracked-models"),
    *both(f"{MODELS}/<int:id>", tracked_models.TrackedModelView.as_view(), "tracked-model"),
    *both(f"{MODELS}/<int:id>/versions", tracked_models.VersionsView.as_view(), "versions"),
    *both(f"{MODELS}/<int:id>/rules", tracked_models.LineageRulesView.as_view(), "rules"),
    *both(
        f"{MODELS}/<int:id>/rules/<int:rule_id>", tracked_models.LineageRuleView.as_view(), "rule"
    ),
    *both("api/versions/<int:id>", tracked_models.VersionView.as_view(), "version"),
    *both("api/versions/<int:id>/release", tracked_models.ReleaseView.as_view(), "release"),
    *both("api/held-back", rollout.HeldView.as_view(), "held-back"),
    *both("api/retirements", rollout.RetirementsView.as_view(), "retirements"),
    *both("api/unknown-models", tracked_models.UnknownModelsView.as_view(), "unknown-models"),
    *both("api/left-out-spans", tracked_models.LeftOutSpansView.as_view(), "left-out-spans"),
    *both("api/slice-tags", slice_tags.SliceTagsView.as_view(), "slice-tags"),
    *both("api/slice-tags/<int:id>", slice_tags.SliceTagView.as_view(), "slice-tag"),
    *both("api/policies", policies.PoliciesView.as_view(), "policies"),
    *both("api/policies/<int:id>", policies.PolicyView.as_view(), "policy"),
    *both("api/freezes", policies.FreezesView.as_view(), "freezes"),
    *both("api/freezes/<int:id>", policies.FreezeView.as_view(), "freeze"),
    *both("api/automation", policies.AutomationView.as_view(), "automation"),
    *both("api/emergencies", emergencies.EmergenciesView.as_view(), "emergencies"),
    *both(
        "api/emergencies/<int:id>/review",
        emergencies.ReviewEmergencyView.as_view(),
        "review-emergency",
    ),
    *both("api/schedules", schedules.SchedulesView.as_view(), "schedules"),
    *both("api/schedules/<int:id>", schedules.ScheduleView.as_view(), "schedule"),
    *both("api/events", events.EventsView.as_view(), "events"),
    *both("api/event-kinds", events.EventKindsView.as_view(), "event-kinds"),
    *both("api/event-kinds/<str:kind>", events.EventKindView.as_view(), "event-kind"),
    *both("api/deliveries", events.DeliveriesView.as_view(), "deliveries"),
    *both("api/deliveries/<int:id>/attempts", events.AttemptsView.as_view(), "delivery-attempts"),
    *both("api/deliveries/<int:id>/try-anew", events.TryAnewView.as_view(), "try-anew"),
    *both("api/calendars", calendars.CalendarsView.as_view(), "calendars"),
    *both("api/calendars/<slug:slug>", calendars.CalendarView.as_view(), "remove-calendar"),
    *both("api/recipients", recipients.RecipientsView.as_view(), "recipients"),
    *both("api/recipients/<slug:slug>", recipients.RecipientView.as_view(), "recipient"),
    *both(
        "api/recipients/<slug:slug>/test",
        recipients.TestRecipientView.as_view(),
        "test-recipient",
    ),
    *both("api/mail/test", mail.TestMailView.as_view(), "test-mail"),
    *both("api/webhooks", webhooks.WebhooksView.as_view(), "webhooks"),
    *both("api/webhooks/<slug:slug>", webhooks.WebhookView.as_view(), "webhook"),
    *both("api/webhooks/<slug:slug>/test", webhooks.TestView.as_view(), "test-webhook"),
    *both("api/webhooks/<slug:slug>/secret", webhooks.RotateView.as_view(), "rotate-webhook"),
    *both("api/notices", notices.NoticesView.as_view(), "notices"),
    *both("api/notices/<int:id>", notices.NoticeView.as_view(), "notice"),
    *both("api/notices/<int:id>/resolve", notices.ResolveNoticeView.as_view(), "resolve-notice"),
    *both("api/drift-findings", notices.DriftFindingsView.as_view(), "drift-findings"),
    *both(
        "api/drift-findings/<int:id>/resolve",
        notices.ResolveDriftFindingView.as_view(),
        "resolve-drift-finding",
    ),
    *both("api/served-drift", notices.ServedDriftView.as_view(), "served-drift"),
    *both(SUITES, suites.SuitesView.as_view(), "evaluation-suites"),
    *both(f"{SUITES}/<int:id>", suites.SuiteView.as_view(), "evaluation-suite"),
    *both(f"{SUITES}/<int:id>/cases", suites.CasesView.as_view(), "cases"),
    *both(f"{SUITES}/<int:id>/cases/file", suites.CasesFileView.as_view(), "cases-file"),
    *both(f"{SUITES}/<int:id>/cases/<int:case_id>", suites.CaseView.as_view(), "case"),
    *both("api/evaluation-runs", evaluation.RunsView.as_view(), "evaluation-runs"),
    *both("api/evaluation-runs/estimate", evaluation.EstimateView.as_view(), "estimate-run"),
    *both("api/evaluation-runs/<int:id>", evaluation.RunView.as_view(), "evaluation-run"),
    *both("api/evaluation-runs/<int:id>/cancel", evaluation.CancelRunView.as_view(), "cancel-run"),
    *both("api/evaluation-runs/<int:id>/go-on", evaluation.GoOnView.as_view(), "go-on"),
    *both("api/evaluation-runs/<int:id>/ruling", evaluation.RulingView.as_view(), "ruling"),
    *both("api/evaluation-runs/<int:id>/pairs", evaluation.PairsView.as_view(), "run-pairs"),
    *both("api/evaluation-runs/<int:id>/marks", evaluation.MarksView.as_view(), "marks"),
    *both("api/schema", SpectacularAPIView.as_view(), "schema"),
    *both("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), "docs"),
    *both("api/redoc", SpectacularRedocView.as_view(url_name="schema"), "redoc"),
    re_path("^(?:api|v1)(?:/|$)", problems.unknown_address),
]
