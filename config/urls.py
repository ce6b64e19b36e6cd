"""Addresses: the admin for people, the API for applications."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from versioning.api.views import calendars

urlpatterns = [
    *([path("accounts/", include("config.sso"))] if settings.HOTSWAP["SINGLE_SIGN_ON"] else []),
    path("calendar/<str:token>.ics", calendars.feed, name="calendar"),
    path("admin/", admin.site.urls),
    path("", include("versioning.api.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]

handler400 = "versioning.api.problems.bad_request"
handler403 = "versioning.api.problems.permission_denied"
handler404 = "versioning.api.problems.page_not_found"
handler500 = "versioning.api.problems.server_error"
