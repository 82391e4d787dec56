"""Addresses of the team's pages of requests."""

from __future__ import annotations

from django.urls import URLPattern, path

from kept.apps.requests import desk, desk_bulk, desk_holds, desk_intake, desk_metrics, desk_parties, desk_record

_IN = "<slug:slug>/requests/"
_ONE = f"{_IN}<slug:reference>/"
urlpatterns: list[URLPattern] = [
    path(_IN, desk.queue, name="queue"),
    path(f"{_IN}new/", desk_intake.new, name="new"),
    path(f"{_IN}bulk/", desk_bulk.bulk, name="bulk"),
    path(f"{_IN}bulk/<int:batch_id>/", desk_bulk.batch, name="batch"),
    path(f"{_IN}figures/", desk_metrics.show, name="metrics"),
    path(f"{_IN}figures.json", desk_metrics.as_json, name="metrics-json"),
    path(f"{_IN}figures.csv", desk_metrics.as_csv, name="metrics-csv"),
    path(f"{_IN}holds/", desk_holds.cases, name="holds"),
    path(f"{_IN}holds/<int:case_id>/", desk_holds.case, name="case"),
    path(f"{_IN}holds/<int:case_id>/release/", desk_holds.release, name="release-case"),
    path(f"{_IN}agents/", desk_parties.agents, name="agents"),
    path(f"{_IN}agents/<int:party_id>/end/", desk_parties.end_agent, name="end-agent"),
    path(f"{_IN}recipients/", desk_parties.correspondents, name="correspondents"),
    path(f"{_IN}recipients/<int:party_id>/end/", desk_parties.end_correspondent, name="end-correspondent"),
    path(_ONE, desk_record.record, name="record"),
    path(f"{_ONE}do/<slug:verb>/", desk_record.act, name="act"),
    path(f"{_ONE}call-back/", desk_record.call_back, name="call-back"),
    path(f"{_ONE}package/", desk_record.hand_over, name="hand-over"),
    path(f"{_ONE}attachments/<int:attachment_id>/", desk_record.attached, name="attachment"),
    path(f"{_ONE}recipients/<int:telling_id>/", desk_record.whom_to_tell, name="whom-to-tell"),
    path(f"{_ONE}certificate/", desk_record.certificate, name="team-certificate"),
]
