"""First steps on an empty server: what to do next, with the line to paste."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from versioning.admin.base import may_set_up
from versioning.models import TrackedModel
from versioning.services import first_steps
from versioning.services.first_steps import SEEN, FirstStep

PUT_AWAY = "first-steps"
"""The cookie of a browser in which somebody has put them away."""
FOR_A_YEAR = 365 * 24 * 3600
NO_KEY = "hs_YOUR_KEY"
"""Stands where a key goes: one is shown once, when it is made, and never here."""


@dataclass(frozen=True, slots=True)
class FirstStepRow:
    """One step as it is shown; ``link`` is empty for whoever may not do it."""

    step: FirstStep
    title: str
    text: str
    is_done: bool
    is_next: bool
    link: str
    verb: str
    lines: tuple[tuple[str, str], ...] = ()
    """Name and text of what can be pasted."""
    further: tuple[tuple[str, str], ...] = ()
    """Name and address of other ways."""


def for_inbox(request: HttpRequest) -> dict[str, Any] | None:
    """Return the steps while some are left; None when all are done, or they were put away."""
    if PUT_AWAY in request.COOKIES:
        return None
    found = _steps(request)
    return None if found["is_complete"] else found


def page(request: HttpRequest) -> HttpResponse:
    """Show the steps, done or not."""
    if not request.user.has_perm("versioning.view_trackedmodel"):
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": _("First steps"),
        "first_steps": _steps(request),
    }
    return TemplateResponse(request, "admin/versioning/first_steps/page.html", context)


def put_away(request: HttpRequest) -> HttpResponse:
    """Show them on this browser's inbox no more; their page stays."""
    answer = redirect("admin:index")
    answer.set_cookie(
        PUT_AWAY,
        "put-away",
        max_age=FOR_A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return answer


def _steps(request: HttpRequest) -> dict[str, Any]:
    done = first_steps.done()
    left = [step for step in FirstStep if step not in done]
    rows = [
        _row(request, step, is_done=step in done, is_next=step in left[:1], seen=SEEN in done)
        for step in FirstStep
    ]
    return {"rows": rows, "is_complete": not left, "done": len(FirstStep) - len(left)}


def _row(
    request: HttpRequest, step: FirstStep, *, is_done: bool, is_next: bool, seen: bool
) -> FirstStepRow:
    link, verb = _way(request, step)
    return FirstStepRow(
        step=step,
        title=str(_TITLES[step]),
        text=str(_TEXTS[step]),
        is_done=is_done,
        is_next=is_next,
        link=link,
        verb=verb,
        lines=_lines(request, step) if is_next else (),
        further=_further(request, step, seen=seen) if is_next else (),
    )


_TITLES = {
    FirstStep.PROVIDER: gettext_lazy("Connect a provider"),
    FirstStep.CHECK: gettext_lazy("Test the connection, and ask what it lists"),
    FirstStep.MODEL: gettext_lazy("Track a model that you use"),
    FirstStep.SAMPLES: gettext_lazy("Tell what the first requests gave"),
    FirstStep.DECISION: gettext_lazy("Decide on the first upgrade"),
}
_TEXTS = {
    FirstStep.PROVIDER: gettext_lazy(
        "A service that serves your models. Its key stays in the server's environment: "
        "here you give the name of the variable."
    ),
    FirstStep.CHECK: gettext_lazy(
        "“Test connection” on the provider's page says at once whether address and key are "
        "right. “Check now” reads its list; from then on it is read every night."
    ),
    FirstStep.MODEL: gettext_lazy(
        "Give it a stable name. Your applications ask for that name, and get the version "
        "that is in use."
    ),
    FirstStep.SAMPLES: gettext_lazy(
        "One line after each request. From these figures comes the evidence for every move."
    ),
    FirstStep.DECISION: gettext_lazy(
        "When a newer version is found it waits in the inbox, with what is known of it. "
        "Nothing moves without you."
    ),
}


def _way(request: HttpRequest, step: FirstStep) -> tuple[str, str]:
    """Return where a step is done and what the button says; empty for whoever may not."""
    user = request.user
    if step is FirstStep.PROVIDER and may_set_up(request, "providers.add_provider"):
        return reverse("admin:providers_provider_add"), _("Add a provider")
    if step is FirstStep.CHECK and user.has_perm("versioning.run_check"):
        return reverse("admin:providers_provider_changelist"), _("See the providers")
    if step is FirstStep.MODEL and may_set_up(request, "versioning.add_trackedmodel"):
        return reverse("admin:versioning_trackedmodel_add"), _("Track a model")
    if step is FirstStep.SAMPLES and user.has_perm("versioning.add_apikey"):
        return reverse("admin:versioning_apikey_add"), _("Make a key")
    return "", ""


def _further(request: HttpRequest, step: FirstStep, *, seen: bool) -> tuple[tuple[str, str], ...]:
    if step is FirstStep.MODEL and seen and request.user.has_perm("versioning.view_unknownmodel"):
        url = reverse("admin:versioning_unknownmodel_changelist")
        return ((_("Some are seen already, and not tracked: choose among them"), url),)
    return ()


def _lines(request: HttpRequest, step: FirstStep) -> tuple[tuple[str, str], ...]:
    """Return what can be pasted, with this server's own address and no real key."""
    here = request.build_absolute_uri("/").rstrip("/")
    manage = ".venv/bin/python manage.py"
    if step is FirstStep.PROVIDER:
        return (
            (
                "OpenRouter",
                f"{manage} add_provider openrouter --kind openrouter "
                "--api-key-env OPENROUTER_API_KEY",
            ),
            (
                _("A server that speaks OpenAI's protocol"),
                f"{manage} add_provider local --kind openai --base-url http://127.0.0.1:8080/v1",
            ),
        )
    if step is FirstStep.CHECK:
        return ((_("Command line"), f"{manage} check_providers"),)
    if step is FirstStep.MODEL:
        return ((_("Command line"), f"{manage} track PROVIDER MODEL"),)
    if step is FirstStep.SAMPLES:
        return _of_samples(here)
    return ()


def _of_samples(here: str) -> tuple[tuple[str, str], ...]:
    tracked = TrackedModel.objects.select_related("provider").order_by("pk").first()
    provider, model = (tracked.provider.slug, tracked.name) if tracked else ("PROVIDER", "MODEL")
    body = f'{{"provider": "{provider}", "model": "{model}", "task": "chat", "latency_ms": 640}}'
    return (
        (
            "curl",
            _(
                "curl %(here)s/api/performance-samples -H 'Authorization: Bearer %(no_key)s' -H "
                "'Content-Type: application/json' -d '%(body)s'"
            )
            % {"here": here, "no_key": NO_KEY, "body": body},
        ),
        (
            _("Python (pip install ./integrations)"),
            "from hotswap_client import Hotswap\n"
            f'hotswap = Hotswap("{here}", api_key="{NO_KEY}")\n'
            f'hotswap.record(provider="{provider}", model="{model}", task="chat", latency_ms=640)',
        ),
        (
            _("OpenTelemetry, without a change of code"),
            _(
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=%(here)s/v1/traces\nOTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf\nOTEL_EXPORTER_OTLP_TRACES_HEADERS=Authorization=Bearer%%20%(no_key)s"
            )
            % {"here": here, "no_key": NO_KEY},
        ),
    )
