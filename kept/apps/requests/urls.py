"""Addresses of the privacy centre, which is public, and of the team's queue."""

from __future__ import annotations

from django.urls import URLPattern, path

from kept.apps.requests import api, centre_web, desk_urls, drp_web, settings_web, status_web, telling_web, web

app_name = "requests"
urlpatterns: list[URLPattern] = [
    path("outbox/", web.mailbox, name="outbox"),
    path("outbox/<int:message_id>/", web.letter, name="letter"),
    path("settings/your-data/", settings_web.your_data, name="your-data"),
    path("settings/your-data/<slug:slug>/<slug:kind>/", settings_web.ask, name="settings-ask"),
    path("<slug:slug>/privacy/", centre_web.centre, name="centre"),
    path("<slug:slug>/privacy/ask/<slug:kind>/", centre_web.ask, name="ask"),
    path("<slug:slug>/privacy/sent/", centre_web.sent, name="sent"),
    path("<slug:slug>/privacy/confirm/<str:link>/", centre_web.confirm, name="confirm"),
    path("<slug:slug>/privacy/requests/<str:token>/", status_web.status, name="status"),
    path("<slug:slug>/privacy/requests/<str:token>/facts/", status_web.match, name="match"),
    path("<slug:slug>/privacy/requests/<str:token>/again/", status_web.confirm_again, name="confirm-again"),
    path("<slug:slug>/privacy/requests/<str:token>/take-back/", status_web.revoke, name="revoke"),
    path("<slug:slug>/privacy/requests/<str:token>/lift/", status_web.lift, name="lift"),
    path("<slug:slug>/privacy/requests/<str:token>/write/", status_web.write, name="write"),
    path("<slug:slug>/privacy/requests/<str:token>/choose/", status_web.choose, name="choose"),
    path("<slug:slug>/privacy/requests/<str:token>/package/", status_web.package, name="package"),
    path("<slug:slug>/privacy/requests/<str:token>/certificate/", status_web.certificate, name="certificate"),
    path("<slug:slug>/privacy/requests/<str:token>/receipt/", status_web.receipt, name="receipt"),
    path("<slug:slug>/privacy/ledger-key.pem", centre_web.ledger_key, name="ledger-key"),
    path("<slug:slug>/privacy/api/requests", api.requests, name="api"),
    path("<slug:slug>/privacy/tellings/<str:token>/", telling_web.answer, name="telling"),
    path("<slug:slug>/drp/business.json", drp_web.business, name="drp-business"),
    path("<slug:slug>/drp/v1/data-rights-request", drp_web.exercise, name="drp-exercise"),
    path("<slug:slug>/drp/v1/data-rights-request/<str:request_id>", drp_web.one, name="drp-request"),
    path("<slug:slug>/drp/v1/agent/<str:agent_id>", drp_web.agent, name="drp-agent"),
    *desk_urls.urlpatterns,
]
