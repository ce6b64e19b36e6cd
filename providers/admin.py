"""The Provider page, and the one base class that all admin pages have."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import JSONField, Model, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from simple_history.admin import SimpleHistoryAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from providers import lists, registry
from providers.calls import NoRoom
from providers.models import Provider
from providers.moments import stamp
from providers.row_fields import (
    FormWithRows,
    NamedRow,
    PairsField,
    RowsField,
    Unshowable,
    words_of,
)

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    PlainAdmin = ModelAdmin[Any]
    _ProviderForm = forms.ModelForm[Provider]
else:
    _ProviderForm = forms.ModelForm
    from unfold.admin import ModelAdmin as PlainAdmin


SETUP = "versioning.setup"
_SHOWS_THE_PAST = "hotswap_shows_the_past"
"""Of a request: so its page is to be read, whatever the person may change."""


class NamedPages(PlainAdmin):
    """Pages whose titles say what they are: two of them are two names in a browser's history."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        named = {"title": capfirst(str(self.opts.verbose_name_plural)), **(extra_context or {})}
        return super().changelist_view(request, named)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown = context.get("original")
        otherwise = (
            str(shown)
            if shown
            else _("New %(verbose_name)s") % {"verbose_name": self.opts.verbose_name}
        )
        context["title"] = context.get("named", otherwise)
        context["subtitle"] = capfirst(str(self.opts.verbose_name)) if shown else None
        return super().render_change_form(request, context, *args, **kwargs)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        named = {"kind": self.opts.verbose_name, "row": context["object"]}
        context["title"] = _("Delete %(kind)s %(row)s") % named
        return super().render_delete_form(request, context)

    def history_view_title(self, request: HttpRequest, obj: Model) -> str:
        """Name the kind, too: a webhook and a recipient may have one name."""
        return _("History of %(kind)s %(row)s") % {"kind": self.opts.verbose_name, "row": obj}

    def history_form_view_title(self, request: HttpRequest, obj: Model) -> str:
        return _("%(kind)s %(row)s as it was") % {
            "kind": capfirst(str(self.opts.verbose_name)),
            "row": obj,
        }


class SetUpPages(NamedPages):
    """Pages that set something up: who decides may look, but needs this permission to change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and request.user.has_perm(SETUP)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and request.user.has_perm(SETUP)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and request.user.has_perm(SETUP)


class WithPast(SimpleHistoryAdmin):  # type: ignore[misc]  # simple_history is untyped
    """Pages of rows whose history is kept: to be read by whoever sees the row, never put back.

    A row put back as a whole would take with it what its form doesn't ask, such as the addresses
    that a key was released to, and pass by the rules that its form asks.
    """

    def revert_disabled(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and not getattr(request, _SHOWS_THE_PAST, False)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        was = getattr(request, _SHOWS_THE_PAST, False)
        return super().get_form(request, obj, change=change or was, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._find_past(request, object_id)
        page: HttpResponse = super().history_view(request, object_id, extra_context)
        return page

    def history_form_view(
        self,
        request: HttpRequest,
        object_id: str,
        version_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a row as it was after a change."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        past = self._find_past(request, object_id)
        shown = past.filter(pk=version_id) if version_id.isdecimal() else past.none()
        if not shown.exists():
            raise Http404
        setattr(request, _SHOWS_THE_PAST, True)
        more = {"says": _in_words(shown.get()), **(extra_context or {})}
        page: HttpResponse = super().history_form_view(request, object_id, version_id, more)
        return page

    def render_history_view(
        self, request: HttpRequest, template: str, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        if "adminform" in context:
            fieldsets = context["adminform"].fieldsets
            context["adminform"] = helpers.AdminForm(
                context["adminform"].form,
                fieldsets,
                {},
                flatten_fieldsets(fieldsets),
                model_admin=self,
            )
        page: HttpResponse = super().render_history_view(request, template, context, **kwargs)
        return page

    def _find_past(self, request: HttpRequest, object_id: str) -> QuerySet[Any]:
        """Return what a row was, the last first. Raises Http404 where the person doesn't see it."""
        pk = unquote(object_id)
        if not pk.isdecimal():
            raise Http404
        past: QuerySet[Any] = self.model.history.filter(id=pk).order_by("-history_date", "-pk")
        if self.model._base_manager.filter(pk=pk).exists():
            if not self.get_queryset(request).filter(pk=pk).exists():
                raise Http404
        elif (last := past.first()) is None or not self.shows_deleted(request, last.instance):
            raise Http404
        return past

    def shows_deleted(self, request: HttpRequest, last: Model) -> bool:
        """Say whether the person may see what was a row, as it was last."""
        return True


def _in_words(past: Any) -> str:
    moment = stamp(past.history_date)
    if past.history_user is None:
        return _("As it was on %(moment)s.") % {"moment": moment}
    return _("As it was on %(moment)s, after a change by %(user)s.") % {
        "moment": moment,
        "user": past.history_user,
    }


class WithPanel(PlainAdmin):
    """Pages that show more of a row than its form."""

    def panel_of(self, row: Any, request: HttpRequest) -> dict[str, Any]:
        """Return what a row's page shows beside its form, to whom may see the row."""
        raise NotImplementedError

    def shows_panel(self, request: HttpRequest) -> bool:
        """Say whether it is shown now: what it tells is asked of the database."""
        return True

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None and self.shows_panel(request):
            # A form that was refused has written what was typed into its row.
            stored = row if request.method == "GET" else self.get_object(request, str(row.pk))
            context.update(self.panel_of(stored, request))
        return super().render_change_form(request, context, *args, **kwargs)


class Admin(NamedPages):
    """The base of all pages: nothing here can be deleted, for history outlives its subjects."""

    when_empty: "StrOrPromise" = ""  # what an empty list says: what comes here, and how
    next_step: "StrOrPromise" = ""  # what to do with one that was just added; its page opens then
    is_history = False  # tells what was, and so has no history of its own
    is_large = False  # may have 100,000 rows and more
    list_per_page = 30
    paginator = lists.BoundedPaginator
    show_full_result_count = False
    # A phone leaves these cells out: see admin.css.
    empty_value_display = format_html('<span class="hs-empty">{}</span>', "–")
    list_filter_submit = True
    warn_unsaved_form = True

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def further_page(
        self, where: str, view: Callable[..., HttpResponse], *, name: str
    ) -> URLPattern:
        """Return a page of this model at an address below its list, for ``get_urls``.

        It is called ``admin:APP_MODEL_NAME``, and asks who comes to sign in.
        """
        model = f"{self.model._meta.app_label}_{self.model._meta.model_name}"
        return path(where, self.admin_site.admin_view(view), name=f"{model}_{name}")

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Offer all columns, of a large table only those that an index sorts."""
        columns: list[Any] = list(super().get_sortable_by(request))
        if not self.is_large:
            return columns
        sorted_by = lists.sorted_by_an_index(self.model)
        return [name for name in columns if self._order_of(str(name)) in sorted_by]

    def _order_of(self, name: str) -> str:
        shown = getattr(self, name, None)
        return name if shown is None else str(getattr(shown, "admin_order_field", "")).lstrip("-")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Say in words what is kept as JSON, to whom may not change it."""
        found = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return found
        declared = self.form.declared_fields
        asked = {
            column: declared.get(column.name) or self.formfield_for_dbfield(column, request)
            for column in self.opts.fields
            if _is_json(column) and column.editable
        }
        said = {column.name: _AsIs(column) for column in self.opts.fields if _is_json(column)}
        said |= {
            column.name: _InWords(column, field)
            for column, field in asked.items()
            if field is not None and not isinstance(field, forms.JSONField)
        }

        def shown(name: Any) -> Any:
            in_one_row = isinstance(name, tuple | list)
            return tuple(map(shown, name)) if in_one_row else said.get(str(name), name)

        return [
            (title, {**more, "fields": [shown(name) for name in more["fields"]]})
            for title, more in found
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        for each in found.filter_specs:
            if hasattr(each, "empty_value_display"):
                each.empty_value_display = "–"  # it goes into an attribute, too: no markup
        return found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return lists.BoundedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        fields = self.get_search_fields(request)
        return lists.search(queryset, fields=list(fields), text=search_term), False

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        if not self.next_step or {"_addanother", "_continue", "_popup"} & set(request.POST):
            return super().response_add(request, obj, post_url_continue)
        messages.success(
            request,
            _("%(obj)s is added. %(next_step)s") % {"obj": obj, "next_step": self.next_step},
        )
        page = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(page, args=[obj.pk]))


def _is_json(column: Any) -> bool:
    return isinstance(column, JSONField)


def raw(value: Any) -> SafeString:
    """Return data as it is kept, indented; its keys in one order on every database."""
    if not value:
        return format_html('<span class="hs-quiet">{}</span>', _("Nothing."))
    text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="hs-raw">{}</pre>', text)


class _AsIs:
    """A column of a page that may only be read: JSON that no form shows, without inline styles."""

    def __init__(self, column: Any) -> None:
        self.__name__ = column.name
        self.short_description = column.verbose_name

    def __call__(self, row: Model) -> SafeString:
        return raw(getattr(row, self.__name__))


class _InWords(_AsIs):
    """A column of a page that may only be read: what is kept as JSON, as its form shows it."""

    def __init__(self, column: Any, field: forms.Field) -> None:
        super().__init__(column)
        self.field = field

    def __call__(self, row: Model) -> SafeString:
        value = getattr(row, self.__name__)
        if isinstance(self.field, RowsField):
            lines = self.field.in_words(value)
        else:
            shown = self.field.prepare_value(value)
            lines = shown.splitlines() if isinstance(shown, str) else []
            lines = lines or ([words_of(self.field, shown)] if shown else [])
        if not lines:
            return Admin.empty_value_display
        return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines))


class OptionRow(NamedRow):
    """An option of a kind, and what it is set to."""

    name = forms.CharField(widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}))
    value = forms.CharField(
        required=False,
        strip=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    @classmethod
    def shown(cls, item: Any) -> dict[str, Any]:
        name, value = item
        if not name or name != name.strip() or {"\n", "\r"} & {*name, *value}:
            raise Unshowable
        return {"name": name, "value": value}

    def item(self) -> Any:
        return self.cleaned_data["name"], self.cleaned_data["value"]


class ProviderForm(FormWithRows, _ProviderForm):
    """How to reach a provider."""

    options = PairsField(
        row=OptionRow,
        one=gettext_lazy("option"),
        help_text=gettext_lazy(
            "What else the kind needs, such as region = eu-central-1 for Bedrock, or "
            "api_version for Azure. input_price = 0.15 and output_price = 0.60 are USD "
            "per million tokens of models that it lists without a price."
        ),
    )

    class Meta:
        model = Provider
        fields = "__all__"  # noqa: DJ007 - the page names them


@admin.register(Provider)
class ProviderAdmin(SetUpPages, Admin, WithPast):
    when_empty = gettext_lazy("Add the services that list your models; checks then ask them daily.")
    next_step = gettext_lazy("Test its connection, then check it to see what it lists.")
    form = ProviderForm
    list_display = ("name", "slug", "kind", "address", "key", "enabled")
    list_filter = ("enabled",)
    search_fields = ("name", "slug", "base_url")
    ordering = ("slug",)
    readonly_fields = ("key",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind", "enabled")}),
        (
            gettext_lazy("How to reach it"),
            {"fields": ("base_url", "api_key_env", "key", "timeout_seconds", "options")},
        ),
    )

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> dict[str, Sequence[str]]:
        return {} if obj else {"slug": ("name",)}

    @admin.display(description=gettext_lazy("address"), ordering="base_url")
    def address(self, provider: Provider) -> str:
        return provider.base_url or _public_address(provider)

    @admin.display(description=gettext_lazy("key"), ordering="api_key_env")
    def key(self, provider: Provider) -> SafeString:
        """Say whether the key's variable is set for this process; never what it holds."""
        if not provider.api_key_env:
            return format_html('<span class="hs-badge">{}</span>', _("no key"))
        if provider.unreleased_pairs():
            return format_html(
                '<code>{}</code> <span class="hs-badge hs-bad">{}</span>',
                provider.api_key_env,
                _("not released for this address"),
            )
        is_set = _has_key(provider)
        return format_html(
            '<code>{}</code> <span class="hs-badge {}">{}</span>',
            provider.api_key_env,
            "hs-good" if is_set else "hs-bad",
            "set" if is_set else _("not set"),
        )

    def get_urls(self) -> list[URLPattern]:
        test = require_POST(self.test_connection)
        release = require_POST(self.release_key)
        return [
            self.further_page("<int:provider_id>/test-connection/", test, name="test_connection"),
            self.further_page("<int:provider_id>/release-key/", release, name="release_key"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it; a new one's key may go to the address that it was given with."""
        if not change:
            obj.release_first_key()
        super().save_model(request, obj, form, change)

    def release_key(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """Let its key go to the address that the page shows; the history says who did it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        provider = get_object_or_404(Provider, pk=provider_id)
        if request.POST.get("pairs", "") != " ".join(provider.unreleased_pairs()):
            messages.error(request, _("It was changed since you looked. Look again, then release."))
        else:
            provider.release_key()
            provider._change_reason = _("released the key")  # type: ignore[attr-defined]
            provider.save(update_fields=["key_released_to"])
            messages.success(request, _("The key may go to this address."))
        return HttpResponseRedirect(reverse("admin:providers_provider_change", args=[provider_id]))

    def test_connection(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """Ask the provider for its list once, and say what came of it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        provider = get_object_or_404(Provider, pk=provider_id)
        if "HX-Request" in request.headers:
            return self._test_as_typed(request, provider)
        works, said = _tested(provider)
        messages.add_message(request, messages.SUCCESS if works else messages.ERROR, said)
        return HttpResponseRedirect(reverse("admin:providers_provider_change", args=[provider_id]))

    def _test_as_typed(self, request: HttpRequest, provider: Provider) -> HttpResponse:
        """Test what stands in the form, and say it beside the button; nothing is stored.

        Its key goes nowhere new: an address that it isn't released for is refused.
        """
        form = self.get_form(request, provider, change=True)(request.POST, instance=provider)
        if form.is_valid():
            typed = _(" (as written, not saved yet)") if form.has_changed() else ""
            works, said = _tested(form.instance, typed=typed)
        else:
            wrong = [
                f"{form.fields[name].label or name}: {errors[0]}"
                for name, errors in form.errors.items()
                if name in form.fields
            ]
            works, said = False, " ".join([_("As it is written, it can't be tested."), *wrong])
        tone = "good" if works else "bad"
        return HttpResponse(format_html('<p class="hs-tone-{}">{}</p>', tone, said))


def _tested(provider: Provider, *, typed: str = "") -> tuple[bool, str]:
    """Test the connection; return whether it works, and the sentence about it."""
    try:
        result = provider.test_connection(at=timezone.now())
    except NoRoom as error:
        return False, str(error)
    verdict = "works" if result.ok else _("does not work")
    return (
        result.ok,
        _("The connection %(verdict)s%(typed)s. %(sentence)s (It took %(ms)s ms.)")
        % {"verdict": verdict, "typed": typed, "sentence": result.sentence, "ms": f"{result.ms:,}"},
    )


def _public_address(provider: Provider) -> str:
    try:
        return registry.adapter_class(provider.kind).default_base_url
    except registry.UnknownKind:
        return _("unknown kind %(kind)s") % {"kind": provider.kind}


def _has_key(provider: Provider) -> bool:
    try:
        return bool(provider.connection().api_key)
    except registry.UnknownKind:
        return False
