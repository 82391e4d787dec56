"""Addresses of the notice, its promises and their desk."""

from __future__ import annotations

from django.urls import path

from kept.apps.notices import board_web, editor_web, ledger_web, promise_page_web, tables_web, versions_web, web

app_name = "notices"
urlpatterns = [
    path("<slug:slug>/notice/", web.notice, name="notice"),
    path("<slug:slug>/notice.md", web.source, name="source"),
    path("<slug:slug>/promises/", promise_page_web.promises, name="promises"),
    path("<slug:slug>/promises/<str:rule>/evidence.json", promise_page_web.evidence, name="evidence"),
    path("<slug:slug>/promise-desk/", board_web.desk, name="desk"),
    path("<slug:slug>/promise-desk/visibility/", board_web.visibility, name="visibility"),
    path("<slug:slug>/promise-desk/incidents/<int:incident_id>/", board_web.incident, name="incident"),
    path("<slug:slug>/promise-desk/incidents/<int:incident_id>/act/", board_web.act, name="act"),
    path("<slug:slug>/promise-desk/gaps/", board_web.gaps, name="gaps"),
    path("<slug:slug>/promise-desk/choices/", board_web.consent, name="consent"),
    path("<slug:slug>/notice-editor/", editor_web.drafts, name="drafts"),
    path("<slug:slug>/notice-editor/<int:draft_id>/", editor_web.draft, name="draft"),
    path("<slug:slug>/notice-editor/<int:draft_id>/look/", editor_web.look, name="draft-look"),
    path("<slug:slug>/notice-editor/<int:draft_id>/save/", editor_web.save, name="draft-save"),
    path("<slug:slug>/notice-editor/<int:draft_id>/step/", editor_web.step, name="draft-step"),
    path("<slug:slug>/notice-editor/<int:draft_id>/approval/", editor_web.approval, name="draft-approval"),
    path("<slug:slug>/promise-desk/prove/", web.prove, name="prove"),
    path("<slug:slug>/promise-desk/run/<int:job_id>/", web.run, name="run"),
    path("<slug:slug>/promise-desk/retention/", web.retention, name="retention"),
    path("<slug:slug>/promise-desk/versions/", web.versions, name="versions"),
    path("<slug:slug>/promise-desk/versions/new/", versions_web.new, name="new-version"),
    path("<slug:slug>/promise-desk/versions/stop/", versions_web.stop, name="stop-version"),
    path("<slug:slug>/notice/versions/", versions_web.history, name="history"),
    path("<slug:slug>/notice/versions.atom", versions_web.feed, name="feed"),
    path("<slug:slug>/notice/agree/<str:link>/", versions_web.agree, name="agree"),
    path("<slug:slug>/notice/california/", tables_web.california, name="california"),
    path("<slug:slug>/notice/processing/", tables_web.processing, name="processing"),
    path("<slug:slug>/notice/processing.xlsx", tables_web.workbook, name="processing-workbook"),
    path("<slug:slug>/notice/subprocessors/", tables_web.subprocessors, name="subprocessors"),
    path("<slug:slug>/notice/subprocessors.atom", tables_web.subprocessor_feed, name="subprocessor-feed"),
    path("<slug:slug>/notice/cookies/", tables_web.cookies, name="cookies"),
    path("<slug:slug>/notice.jsonld", tables_web.jsonld, name="jsonld"),
    path("<slug:slug>/notice.fides.yml", tables_web.fides_manifest, name="fides"),
    path("<slug:slug>/.well-known/gpc.json", tables_web.gpc, name="gpc"),
    path("<slug:slug>/.well-known/security.txt", tables_web.security, name="security-txt"),
    path("<slug:slug>/.well-known/privacy-notice.json", tables_web.machine, name="machine"),
    path("<slug:slug>/.well-known/ledger-key.pem", tables_web.ledger_key, name="ledger-key"),
    path("<slug:slug>/privacy-ledger/heads.json", ledger_web.head, name="ledger-head"),
    path("<slug:slug>/privacy-ledger/consistency.json", ledger_web.consistency, name="ledger-consistency"),
    path(".well-known/gpc.json", tables_web.gpc, name="host-gpc"),
    path(".well-known/security.txt", tables_web.security, name="host-security-txt"),
    path(".well-known/privacy-notice.json", tables_web.machine, name="host-machine"),
    path(".well-known/ledger-key.pem", tables_web.ledger_key, name="host-ledger-key"),
]
