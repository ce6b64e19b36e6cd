"""How the admin looks: its name, its colours and its sidebar."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy


def _file(path: str) -> Callable[[HttpRequest], str]:
    """Return what Unfold asks for when it shows a page: the address of a static file."""
    return lambda request: static(path)


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    """Show a link only to whom the page behind it opens."""
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def _link(*, title: str, icon: str, model: str, **more: Any) -> dict[str, Any]:
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


INBOX = {
    "title": "Inbox",
    "icon": "inbox",
    "link": reverse_lazy("admin:index"),
    "badge": "versioning.admin.pages.waiting_badge",
    "badge_variant": "primary",
}

UNFOLD = {
    "SITE_TITLE": "Hotswap",
    "SITE_HEADER": "Hotswap",
    "SITE_SUBHEADER": "AI model versions",
    "SITE_URL": None,
    "SITE_ICON": {
        "light": _file("hotswap/mark.svg"),
        "dark": _file("hotswap/mark.svg"),
    },
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": _file("hotswap/mark.svg")},
        {"rel": "alternate icon", "href": _file("root/favicon.ico")},
    ],
    "STYLES": [_file("hotswap/admin.css")],
    "SCRIPTS": [_file("hotswap/admin.js")],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "versioning.admin.pages.inbox",
    "COMMAND": {
        "search_models": [
            "versioning.trackedmodel",
            "versioning.modelversion",
            "providers.provider",
        ],
    },
    # Indigo: white text on the 600 has a contrast of 6 to 1.
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    INBOX,
                    _link(title="Upgrades", icon="swap_horiz", model="versioning.upgraderecord"),
                ],
            },
            {
                "title": "Models",
                "items": [
                    _link(
                        title="Tracked models",
                        icon="deployed_code",
                        model="versioning.trackedmodel",
                        active=_is_below(
                            "admin:versioning_trackedmodel_changelist",
                            but="admin:versioning_trackedmodel_retirements",
                        ),
                    ),
                    _link(
                        title="Retirements",
                        icon="event_busy",
                        model="versioning.trackedmodel",
                        link=RETIREMENTS,
                    ),
                    _link(
                        title="Versions",
                        icon="layers",
                        model="versioning.modelversion",
                        active=_is_below(
                            "admin:versioning_modelversion_changelist",
                            but="admin:versioning_modelversion_best",
                        ),
                    ),
                    _link(
                        title="Best per task",
                        icon="trophy",
                        model="versioning.modelversion",
                        link=BEST,
                    ),
                    _link(title="Samples", icon="monitoring", model="versioning.performancesample"),
                ],
            },
            {
                "title": "Tests",
                "items": [
                    _link(title="Suites", icon="quiz", model="versioning.evaluationsuite"),
                    _link(title="Runs", icon="science", model="versioning.evaluationrun"),
                ],
            },
            {
                "title": "By itself",
                "items": [
                    _link(title="Policies", icon="policy", model="versioning.policy"),
                    _link(
                        title="Automation",
                        icon="toggle_on",
                        model="versioning.automationswitch",
                    ),
                ],
            },
            {
                "title": "Providers",
                "items": [
                    _link(title="Providers", icon="cloud", model="providers.provider"),
                    _link(title="Checks", icon="fact_check", model="versioning.check"),
                ],
            },
            {
                "title": "What was found",
                "collapsible": True,
                "items": [
                    _link(title="Findings", icon="newsmode", model="versioning.finding"),
                    _link(title="Notices", icon="notifications", model="versioning.notice"),
                    _link(title="Events", icon="history", model="versioning.event"),
                    _link(title="Drift", icon="trending_down", model="versioning.driftfinding"),
                    _link(
                        title="Another id answered",
                        icon="call_split",
                        model="versioning.serveddrift",
                    ),
                    _link(
                        title="Seen, not tracked",
                        icon="help_center",
                        model="versioning.unknownmodel",
                    ),
                    _link(
                        title="Spans left out",
                        icon="filter_alt_off",
                        model="versioning.leftoutspans",
                    ),
                    _link(title="Catalogue", icon="list_alt", model="versioning.catalogueentry"),
                    _link(title="Alias history", icon="link", model="versioning.aliastarget"),
                ],
            },
            {
                "title": "Set-up",
                "collapsible": True,
                "items": [
                    _link(
                        title="First steps",
                        icon="footprint",
                        model="versioning.trackedmodel",
                        link=reverse_lazy("admin:versioning_trackedmodel_first_steps"),
                    ),
                    _link(title="Lineage rules", icon="rule", model="versioning.lineagerule"),
                    _link(title="Freezes", icon="ac_unit", model="versioning.freeze"),
                    _link(
                        title="Schedules",
                        icon="schedule",
                        model="django_celery_beat.periodictask",
                    ),
                    _link(title="API keys", icon="key", model="versioning.apikey"),
                    _link(title="Slice tags", icon="sell", model="versioning.slicetag"),
                    _link(title="Users", icon="person", model="auth.user"),
                    _link(title="Groups", icon="group", model="auth.group"),
                ],
            },
        ],
    },
}
