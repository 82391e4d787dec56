"""Addresses of the notice, its promises and their desk."""

from __future__ import annotations

from django.urls import path

from kept.apps.notices import web

app_name = "notices"
urlpatterns = [
    path("<slug:slug>/notice/", web.notice, name="notice"),
    path("<slug:slug>/notice.md", web.source, name="source"),
    path("<slug:slug>/promises/", web.promises, name="promises"),
    path("<slug:slug>/promises/<str:rule>/evidence.json", web.evidence, name="evidence"),
    path("<slug:slug>/promise-desk/", web.desk, name="desk"),
    path("<slug:slug>/promise-desk/prove/", web.prove, name="prove"),
    path("<slug:slug>/promise-desk/run/<int:job_id>/", web.run, name="run"),
    path("<slug:slug>/promise-desk/retention/", web.retention, name="retention"),
    path("<slug:slug>/promise-desk/versions/", web.versions, name="versions"),
]
