"""Every address: the rooms', and the two that belong to no room."""

from django.urls import URLPattern, URLResolver, include, path

from kept.project import web

handler400 = "kept.platform.ui.errors.bad_request"
handler403 = "kept.platform.ui.errors.forbidden"
handler404 = "kept.platform.ui.errors.not_found"
handler500 = "kept.platform.ui.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", web.health, name="health"),
    path("", include("kept.platform.accounts.urls")),
    path("", include("kept.apps.contacts.urls")),
    path("", include("kept.apps.imports.urls")),
    path("", include("kept.apps.requests.urls")),
    path("", include("kept.apps.notices.urls")),
    path("<slug:slug>/", web.home, name="account"),
]
