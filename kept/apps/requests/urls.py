"""Addresses of the privacy centre, which is public, and of the team's queue."""

from __future__ import annotations

from django.urls import URLPattern, path

from kept.apps.requests import desk, web

app_name = "requests"
urlpatterns: list[URLPattern] = [
    path("outbox/", web.mailbox, name="outbox"),
    path("outbox/<int:message_id>/", web.letter, name="letter"),
    path("<slug:slug>/privacy/", web.centre, name="centre"),
    path("<slug:slug>/privacy/ask/<slug:kind>/", web.ask, name="ask"),
    path("<slug:slug>/privacy/sent/", web.sent, name="sent"),
    path("<slug:slug>/privacy/confirm/<str:link>/", web.confirm, name="confirm"),
    path("<slug:slug>/privacy/requests/<str:token>/", web.status, name="status"),
    path("<slug:slug>/privacy/requests/<str:token>/package/", web.package, name="package"),
    path("<slug:slug>/privacy/requests/<str:token>/certificate/", web.certificate, name="certificate"),
    path("<slug:slug>/privacy/requests/<str:token>/choose/", web.choose, name="choose"),
    path("<slug:slug>/privacy/ledger-key.pem", web.ledger_key, name="ledger-key"),
    path("<slug:slug>/requests/", desk.queue, name="queue"),
    path("<slug:slug>/requests/new/", desk.new, name="new"),
    path("<slug:slug>/requests/<slug:reference>/", desk.record, name="record"),
    path("<slug:slug>/requests/<slug:reference>/start/", desk.start, name="start"),
    path("<slug:slug>/requests/<slug:reference>/refuse/", desk.refuse, name="refuse"),
    path("<slug:slug>/requests/<slug:reference>/package/", desk.hand_over, name="hand-over"),
    path("<slug:slug>/requests/<slug:reference>/certificate/", desk.certificate, name="team-certificate"),
]
