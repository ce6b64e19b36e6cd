"""A person's own second factor: given at the sign-in, switched on and off, reset by others."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.functional import cached_property
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminOwnPasswordChangeForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from versioning.admin import words
from versioning.admin.base import actor_of
from versioning.services import clock, second_factors, vault
from versioning.services.errors import ServiceError, TooMany

PAGE = "admin:auth_user_second_factor"
NEW_SECRET = "new_second_factor"  # noqa: S105 - the name under which it is kept, encrypted
"""In a session: the secret that is shown until a code shows that it arrived."""


class CodeForm(forms.Form):
    """A code of the app; where one is on, a recovery code does as well."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}
        ),
        error_messages={"required": gettext_lazy("Give a code.")},
    )


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]  # Unfold is untyped
    """A new password of one's own, with a code where the second factor is on."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        if second_factors.of(user) is not None:
            self.fields["code"] = CodeForm().fields["code"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "code" in self.fields and not self.errors:  # a code counts once: looked at last
            try:
                second_factors.check(user_id=self.user.pk, code=data["code"], now=clock.now())
            except ServiceError as error:
                self.add_error("code", str(error))
        return data


class ResetForm(forms.Form):
    """Why somebody's second factor is taken away."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("Say why: the reason stays in the history.")},
        help_text=gettext_lazy("Such as: lost their phone, asked for it in person."),
    )


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what a person's menu leads to."""
    links = []
    user: Any = request.user
    if user.is_authenticated and user.has_usable_password():
        password = reverse_lazy("admin:password_change")
        links.append({"title": _("Change password"), "link": password})
    if second_factors.is_asked_after(request.session):
        links.append({"title": _("Second factor"), "link": reverse_lazy(PAGE)})
    return links


def own(request: HttpRequest, *, admin_site: Any) -> HttpResponse:
    """Ask for the second factor, else set it up, else show that it is on."""
    return _Own(request, admin_site).answer()


class _Own:
    """One request to a person's own page."""

    def __init__(self, request: HttpRequest, admin_site: Any) -> None:
        self.request = request
        self.user: Any = request.user
        self.admin_site = admin_site
        self.is_missing = second_factors.is_missing(self.user, request.session)
        self.factor = second_factors.of(self.user)
        self.form = CodeForm(request.POST or None)
        self.wait: int | None = None

    def answer(self) -> HttpResponse:
        if self.factor is None:
            return self._set_up()
        return self._ask() if self.is_missing else self._manage()

    def _ask(self) -> HttpResponse:
        if self._is_right():
            self._prove()
            return HttpResponseRedirect(self.next)
        return self._page("ask", title=_("Your second factor"))

    def _set_up(self) -> HttpResponse:
        try:
            secret = self._new_secret()
        except vault.NoSecretsKey as error:
            return self._page("off", title=_("Your second factor"), error=str(error))
        if self.request.method == "POST" and self.form.is_valid():
            now, code = clock.now(), self.form.cleaned_data["code"]
            try:
                made = second_factors.switch_on(user=self.user, secret=secret, code=code, now=now)
            except ServiceError as error:
                self.form.add_error("code", str(error))
            else:
                del self.request.session[NEW_SECRET]
                self.factor = made.factor
                self._prove()
                _note(self.request, self.user, _("Switched the second factor on."))
                return self._shown_once(made.codes)
        uri = second_factors.uri_of(secret, user=self.user)
        shown = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        title = _("Set up your second factor")
        return self._page("set_up", title=title, picture=picture(uri), secret=shown)

    def _manage(self) -> HttpResponse:
        wanted = self.request.POST.get("do")
        if wanted in ("codes", "off") and self._is_right():
            try:
                return self._renew() if wanted == "codes" else self._switch_off()
            except ServiceError as error:
                self.form.add_error(None, str(error))
        assert self.factor is not None  # noqa: S101 - for the type: `answer` has looked
        return self._page(
            "on",
            title=_("Your second factor"),
            since=words.ago(self.factor.made_at, now=clock.now()),
            codes_left=second_factors.codes_left(self.factor),
            must_have_one=second_factors.must_have_one(self.user),
        )

    def _renew(self) -> HttpResponse:
        made = second_factors.renew_codes(user=self.user, now=clock.now())
        _note(self.request, self.user, _("Made new recovery codes."))
        return self._shown_once(made.codes)

    def _switch_off(self) -> HttpResponse:
        second_factors.switch_off(user=self.user, now=clock.now())
        _note(self.request, self.user, _("Switched the second factor off."))
        messages.success(self.request, _("The second factor is off: your password is enough."))
        return HttpResponseRedirect(reverse("admin:index"))

    def _is_right(self) -> bool:
        """Look at the code that was sent; what is wrong with it stands by its field."""
        if self.request.method != "POST" or not self.form.is_valid():
            return False
        code = self.form.cleaned_data["code"]
        try:
            second_factors.check(user_id=self.user.pk, code=code, now=clock.now())
        except ServiceError as error:
            self.form.add_error("code", str(error))
            self.wait = error.retry_after_s if isinstance(error, TooMany) else None
            return False
        return True

    def _prove(self) -> None:
        """Remember it in the session, under another key than the one signed in by half had."""
        assert self.factor is not None  # noqa: S101 - for the type
        self.request.session.cycle_key()
        self.request.session[second_factors.PROVEN] = self.factor.pk
        self.is_missing = False

    def _new_secret(self) -> str:
        """Return what this session shows until it is taken. Raises NoSecretsKey."""
        kept = self.request.session.get(NEW_SECRET)
        if kept is not None:
            return vault.decrypt(kept)
        secret = second_factors.new_secret()
        self.request.session[NEW_SECRET] = vault.encrypt(secret)
        return secret

    def _shown_once(self, codes: tuple[str, ...]) -> HttpResponse:
        return self._page("codes", title=_("Recovery codes"), codes=codes)

    def _page(self, name: str, *, title: str, **more: Any) -> HttpResponse:
        frame = "unfold/layouts/unauthenticated.html" if self.is_missing else "admin/base_site.html"
        context = {
            **self.admin_site.each_context(self.request),
            "title": title,
            "frame": frame,
            "is_missing": self.is_missing,
            "form": self.form,
            "next": self.next,
            **more,
        }
        answer = TemplateResponse(self.request, f"admin/second_factor/{name}.html", context)
        if self.wait is not None:
            answer.status_code, answer["Retry-After"] = 429, str(self.wait)
        return answer

    @cached_property
    def next(self) -> str:
        """Return where the person was on the way to, if that is here."""
        asked = self.request.POST.get("next") or self.request.GET.get("next") or ""
        is_here = url_has_allowed_host_and_scheme(
            asked, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )
        return asked if is_here else reverse("admin:index")


def picture(uri: str) -> SafeString:
    """Return an address as a QR code, as SVG without anything that a page's policy forbids."""
    import segno  # most processes draw none

    drawn: str = segno.make(uri, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None
    )
    # Squares alone: nothing of the address is written in it.
    return SafeString(drawn)  # nosec B703


def reset(request: HttpRequest, *, admin_site: Any, user_id: int) -> HttpResponse:
    """Take somebody's second factor away, with a reason: they have lost it."""
    user = get_object_or_404(User.objects.select_related("second_factor"), pk=user_id)
    if not may_reset(request, user):
        raise PermissionDenied
    form, back = ResetForm(request.POST or None), reverse("admin:auth_user_change", args=[user_id])
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            second_factors.reset(user=user, reason=reason, actor=actor_of(request), now=clock.now())
        except ServiceError as error:
            form.add_error(None, str(error))
        else:
            said = _("Reset the second factor: %(reason)s") % {"reason": reason}
            _note(request, user, said)
            messages.success(request, _("%(user)s has no second factor any more.") % {"user": user})
            return HttpResponseRedirect(back)
    context = {
        **admin_site.each_context(request),
        "title": _("Reset the second factor of %(user)s") % {"user": user},
        "form": form,
        "is_on": second_factors.of(user) is not None,
        "back": back,
    }
    return TemplateResponse(request, "admin/second_factor/reset.html", context)


def may_reset(request: HttpRequest, user: User) -> bool:
    """Say whether somebody may take another's second factor away: only who may do everything."""
    return bool(request.user.is_superuser) and request.user.pk != user.pk


def _note(request: HttpRequest, user: User, said: str) -> None:
    """Keep it in the history of the person's page, beside the sign-ins."""
    actor: Any = request.user
    LogEntry.objects.log_actions(actor.pk, [user], CHANGE, said, single_object=True)
