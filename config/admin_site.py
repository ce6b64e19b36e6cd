"""The admin's site: Unfold's, without what none of our pages shows."""

from collections.abc import Callable, Iterable
from threading import RLock
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import sites
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import autodiscover_modules
from unfold.apps import BasicAppConfig
from unfold.sites import UnfoldAdminSite


class HotswapAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # Unfold is untyped
    """The pages are loaded when one of them is first asked for.

    Django loads them at each start. The worker, and most commands, show none: it was a quarter of
    the time of their start.
    """

    empty_value_display = "–"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._loading = RLock()
        self._is_loaded = False
        super().__init__(*args, **kwargs)

    @property
    def _registry(self) -> dict[Any, Any]:
        with self._loading:
            if not self._is_loaded:
                self._is_loaded = True  # before the pages register themselves
                try:
                    self._load_pages()
                except BaseException:
                    self._is_loaded = False
                    raise
        return self._pages

    @_registry.setter
    def _registry(self, pages: dict[Any, Any]) -> None:
        self._pages = pages

    def _load_pages(self) -> None:
        from unfold.templatetags import unfold_list

        unfold_list.result_headers = _once_a_list(unfold_list.result_headers)
        autodiscover_modules("admin", register_to=self)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Change one's own password: with a code, where the second factor is on."""
        # Not sooner: these modules need the tables.
        from django.contrib.auth.views import PasswordChangeView

        from versioning.admin.second_factor import OwnPasswordForm

        request.current_app = self.name
        page = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse(f"{self.name}:password_change_done"),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return page(request)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the models by apps, made only where they are looked at.

        Each page's context has them, and only an app's own page shows them: to sort all their
        names and to reverse their addresses takes a fifth of the time of an ordinary page.
        """
        made = SimpleLazyObject(
            lambda: super(HotswapAdminSite, self).get_app_list(request, app_label)
        )
        return cast("list[dict[str, Any]]", made)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Return the menu with its titles translated and its addresses reversed, each once."""
        groups: list[dict[str, Any]] = super().get_sidebar_list(request)
        for group in groups:
            for each in (group, *group["items"]):
                each |= {key: str(each[key]) for key in ("title", "link") if key in each}
        return groups


def _once_a_list(make_headers: Callable[[Any], Iterable[dict[str, Any]]]) -> Callable[[Any], Any]:
    """Return what makes the headers of a list, once for it.

    Unfold makes them anew for each row, with a widget and three addresses for each column: a
    fifth of the time of a page of thirty rows.
    """

    def headers(cl: Any) -> list[dict[str, Any]]:
        if not hasattr(cl, "made_headers"):
            cl.made_headers = list(make_headers(cl))
        return cast("list[dict[str, Any]]", cl.made_headers)

    return headers


class AdminSiteConfig(BasicAppConfig):  # type: ignore[misc]  # Unfold is untyped
    """Unfold, with our own site in place of the one that it makes."""

    def ready(self) -> None:
        admin.site = sites.site = HotswapAdminSite()
