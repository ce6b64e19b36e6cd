"""Addresses of the demo: the tour, before those of the project."""

from django.contrib import admin
from django.urls import include, path

from sample_world import views

handler400 = "versioning.api.problems.bad_request"
handler403 = "versioning.api.problems.permission_denied"
handler404 = "versioning.api.problems.page_not_found"
handler500 = "versioning.api.problems.server_error"

urlpatterns = [
    path("admin/tour/", admin.site.admin_view(views.tour), name="tour"),
    path("admin/tour/time-lapse/", admin.site.admin_view(views.begin_lapse), name="begin-lapse"),
    path(
        "admin/tour/time-lapse/<int:record_id>/",
        admin.site.admin_view(views.show_lapse),
        name="lapse",
    ),
    path("", include("config.urls")),
]
