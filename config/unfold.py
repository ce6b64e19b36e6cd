"""How the admin looks: its name, its colours and its sidebar."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def _file(path: str) -> Callable[[HttpRequest], str]:
    """Return what Unfold asks for when it shows a page: the address of a static file."""
    return lambda request: static(path)


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    """Show a link only to whom the page behind it opens."""
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def _link(*, title: "StrOrPromise", icon: str, model: str, **more: Any) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model.replace('.', '_')}_changelist"),
        "permission": _may_view(model),
        **more,
    }


BEST = reverse_lazy("admin:versioning_modelversion_best")
RETIREMENTS = reverse_lazy("admin:versioning_trackedmodel_retirements")


def _is_below(changelist: str, *, but: str) -> Callable[[HttpRequest], bool]:
    """Whether the page lies under a list, and isn't the one with a link of its own."""

    def is_below(request: HttpRequest) -> bool:
        return request.path.startswith(reverse(changelist)) and request.path != reverse(but)

    return is_below


def no_colours(request: HttpRequest) -> dict[str, dict[str, str]]:
    """Return no colours to write into pages."""
    return {}


INBOX = {
    "title": gettext_lazy("Inbox"),
    "icon": "inbox",
    "link": reverse_lazy("admin:index"),
    "badge": "versioning.admin.start_page.waiting_badge",
    "badge_variant": "primary",
}

UNFOLD = {
    "SITE_TITLE": "Hotswap",
    "SITE_HEADER": "Hotswap",
    "SITE_SUBHEADER": gettext_lazy("AI model versions"),
    "SITE_URL": None,
    "SITE_ICON": {
        "light": _file("hotswap/mark.svg"),
        "dark": _file("hotswap/mark.svg"),
    },
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _file("hotswap/mark.svg")},
        {"rel": gettext_lazy("alternate icon"), "href": _file("root/favicon.ico")},
    ],
    "STYLES": [_file("hotswap/colours.css"), _file("hotswap/admin.css")],
    "SCRIPTS": [_file("hotswap/admin.js")],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "versioning.admin.start_page.inbox",
    "COMMAND": {
        "search_models": [
            "versioning.trackedmodel",
            "versioning.modelversion",
            "providers.provider",
        ],
    },
    # In hotswap/colours.css: Unfold would write them into each page, which the policy of
    # content_policy.py doesn't let a page do.
    "COLORS": "config.unfold.no_colours",
    "ACCOUNT": {"navigation": "versioning.admin.second_factor.account_links"},
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    INBOX,
                    _link(
                        title=gettext_lazy("Upgrades"),
                        icon="swap_horiz",
                        model="versioning.upgraderecord",
                    ),
                ],
            },
            {
                "title": gettext_lazy("Models"),
                "items": [
                    _link(
                        title=gettext_lazy("Tracked models"),
                        icon="deployed_code",
                        model="versioning.trackedmodel",
                        active=_is_below(
                            "admin:versioning_trackedmodel_changelist",
                            but="admin:versioning_trackedmodel_retirements",
                        ),
                    ),
                    _link(
                        title=gettext_lazy("Retirements"),
                        icon="event_busy",
                        model="versioning.trackedmodel",
                        link=RETIREMENTS,
                    ),
                    _link(
                        title=gettext_lazy("Versions"),
                        icon="layers",
                        model="versioning.modelversion",
                        active=_is_below(
                            "admin:versioning_modelversion_changelist",
                            but="admin:versioning_modelversion_best",
                        ),
                    ),
                    _link(
                        title=gettext_lazy("Best per task"),
                        icon="trophy",
                        model="versioning.modelversion",
                        link=BEST,
                    ),
                    _link(
                        title=gettext_lazy("Samples"),
                        icon="monitoring",
                        model="versioning.performancesample",
                    ),
                ],
            },
            {
                "title": gettext_lazy("Tests"),
                "items": [
                    _link(
                        title=gettext_lazy("Suites"),
                        icon="quiz",
                        model="versioning.evaluationsuite",
                    ),
                    _link(
                        title=gettext_lazy("Runs"), icon="science", model="versioning.evaluationrun"
                    ),
                ],
            },
            {
                "title": gettext_lazy("By itself"),
                "items": [
                    _link(title=gettext_lazy("Policies"), icon="policy", model="versioning.policy"),
                    _link(
                        title=gettext_lazy("Automation"),
                        icon="toggle_on",
                        model="versioning.automationswitch",
                    ),
                ],
            },
            {
                "title": gettext_lazy("Providers"),
                "items": [
                    _link(
                        title=gettext_lazy("Providers"), icon="cloud", model="providers.provider"
                    ),
                    _link(
                        title=gettext_lazy("Checks"), icon="fact_check", model="versioning.check"
                    ),
                ],
            },
            {
                "title": gettext_lazy("What was found"),
                "collapsible": True,
                "items": [
                    _link(
                        title=gettext_lazy("Findings"), icon="newsmode", model="versioning.finding"
                    ),
                    _link(
                        title=gettext_lazy("Notices"),
                        icon="notifications",
                        model="versioning.notice",
                    ),
                    _link(title=gettext_lazy("Teams"), icon="groups", model="versioning.team"),
                    _link(
                        title=gettext_lazy("Emergencies"),
                        icon="e911_emergency",
                        model="versioning.emergency",
                    ),
                    _link(title=gettext_lazy("Events"), icon="history", model="versioning.event"),
                    _link(
                        title=gettext_lazy("Drift"),
                        icon="trending_down",
                        model="versioning.driftfinding",
                    ),
                    _link(
                        title=gettext_lazy("Another id answered"),
                        icon="call_split",
                        model="versioning.serveddrift",
                    ),
                    _link(
                        title=gettext_lazy("Seen, not tracked"),
                        icon="help_center",
                        model="versioning.unknownmodel",
                    ),
                    _link(
                        title=gettext_lazy("Left-out spans"),
                        icon="filter_alt_off",
                        model="versioning.leftoutspans",
                    ),
                    _link(
                        title=gettext_lazy("Catalogue"),
                        icon="list_alt",
                        model="versioning.catalogueentry",
                    ),
                    _link(
                        title=gettext_lazy("Alias history"),
                        icon="link",
                        model="versioning.aliastarget",
                    ),
                ],
            },
            {
                "title": gettext_lazy("Set-up"),
                "collapsible": True,
                "items": [
                    _link(
                        title=gettext_lazy("First steps"),
                        icon="footprint",
                        model="versioning.trackedmodel",
                        link=reverse_lazy("admin:versioning_trackedmodel_first_steps"),
                    ),
                    _link(
                        title=gettext_lazy("Lineage rules"),
                        icon="rule",
                        model="versioning.lineagerule",
                    ),
                    _link(title=gettext_lazy("Freezes"), icon="ac_unit", model="versioning.freeze"),
                    _link(
                        title=gettext_lazy("Schedules"),
                        icon="schedule",
                        model="django_celery_beat.periodictask",
                    ),
                    _link(title=gettext_lazy("API keys"), icon="key", model="versioning.apikey"),
                    _link(
                        title=gettext_lazy("Recipients"),
                        icon="campaign",
                        model="versioning.recipient",
                    ),
                    _link(
                        title=gettext_lazy("Calendars"),
                        icon="calendar_month",
                        model="versioning.calendarfeed",
                    ),
                    _link(
                        title=gettext_lazy("Webhooks"), icon="webhook", model="versioning.webhook"
                    ),
                    _link(
                        title=gettext_lazy("Slice tags"), icon="sell", model="versioning.slicetag"
                    ),
                    _link(title=gettext_lazy("Users"), icon="person", model="auth.user"),
                    _link(title=gettext_lazy("Groups"), icon="group", model="auth.group"),
                ],
            },
        ],
    },
}
