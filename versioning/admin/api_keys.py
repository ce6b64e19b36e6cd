"""API keys: made here, shown once, revoked with one click."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from versioning.admin import forms, words
from versioning.admin.base import HistoryAdmin, WithPast, actor_of, caller_of, may_set_up
from versioning.models import ApiKey
from versioning.services import clock, keys
from versioning.services.errors import Invalid

SENT_AGAIN_WITHIN = timedelta(minutes=10)


@admin.register(ApiKey)
class ApiKeyAdmin(HistoryAdmin, WithPast):
    when_empty = gettext_lazy("Applications need a key to ask for versions and to report samples.")
    list_display = ("name", "prefix", "scopes_shown", "whose", "state", "last_used", "expires_at")
    search_fields = ("name", "prefix")
    list_select_related = ("person",)
    ordering = ("revoked_at", "name", "pk")
    actions = ("revoke_selected",)
    fields = (
        "name",
        "prefix",
        "scopes_shown",
        "whose",
        "team",
        "maker",
        "state",
        "created_at",
        "expires_at",
        "last_used",
        "revoked_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_set_up(request, "versioning.add_apikey")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return may_set_up(request, "versioning.change_apikey")

    @admin.display(description=gettext_lazy("may"))
    def scopes_shown(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description=gettext_lazy("whose"), ordering="person")
    def whose(self, key: ApiKey) -> str:
        return (
            _("%(username)s's own") % {"username": key.person.get_username()}
            if key.person
            else _("a service's")
        )

    @admin.display(description=gettext_lazy("state"))
    def state(self, key: ApiKey) -> SafeString:
        if key.revoked_at:
            return words.badge(_("revoked"), "bad")
        if key.expires_at and key.expires_at <= clock.now():
            return words.badge(_("expired"), "warn")
        return words.badge(_("in use") if key.last_used_at else _("never used"), "good")

    @admin.display(description=gettext_lazy("last used"), ordering="last_used_at")
    def last_used(self, key: ApiKey) -> SafeString:
        return words.ago(key.last_used_at, now=clock.now())

    @admin.action(
        description=gettext_lazy("Revoke: refused from the next request on"), permissions=["revoke"]
    )
    def revoke_selected(self, request: HttpRequest, chosen: QuerySet[ApiKey]) -> None:
        now = clock.now()
        working = list(chosen.filter(revoked_at=None).values_list("pk", flat=True))
        for key_id in working:
            keys.revoke(api_key_id=key_id, actor=actor_of(request), now=now)
        count = len(working)
        messages.success(
            request,
            ngettext("%(count)s key revoked.", "%(count)s keys revoked.", count) % {"count": count},
        )
        if chosen.count() > count:
            messages.info(
                request,
                _("%(count_count)s had been revoked before.")
                % {"count_count": chosen.count() - count},
            )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Make a key, and show its secret this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = forms.ApiKeyForm(request.POST or None, caller=caller_of(request))
        made = None
        if request.method == "POST" and form.is_valid() and not _is_sent_again(form):
            try:
                made = keys.create_api_key(
                    name=form.cleaned_data["name"],
                    scopes=form.cleaned_data["scopes"],
                    expires_at=form.cleaned_data["expires_on"],
                    team=form.cleaned_data["team"],
                    is_own=form.cleaned_data["whose"] == forms.OWN,
                    actor=actor_of(request),
                    now=clock.now(),
                )
            except Invalid as error:
                forms.add_errors(form, error, renamed={"expires_at": "expires_on"})
            else:
                self.log_addition(request, made.api_key, [{"added": {}}])
        context = {
            **self.admin_site.each_context(request),
            "title": _("New API key")
            if made is None
            else _("Key of %(api_key_name)s") % {"api_key_name": made.api_key.name},
            "opts": self.opts,
            "form": form,
            "made": made,
        }
        page = TemplateResponse(request, "admin/versioning/apikey/add.html", context)
        page["Cache-Control"] = "no-store"
        return page


def _is_sent_again(form: forms.ApiKeyForm) -> bool:
    """Say by the field that this name has a new key: a page that is reloaded sends its form."""
    just_made = ApiKey.objects.filter(
        name=form.cleaned_data["name"],
        revoked_at=None,
        created_at__gt=clock.now() - SENT_AGAIN_WITHIN,
    ).first()
    if just_made is not None:
        form.add_error(
            "name",
            _(
                "A key of this name was made just now (%(prefix)s…): nothing was made again. If "
                "its secret got lost, revoke it first, or take another name."
            )
            % {"prefix": just_made.prefix},
        )
    return just_made is not None
