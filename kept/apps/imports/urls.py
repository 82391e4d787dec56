"""Addresses of imports."""

from django.urls import path

from kept.apps.imports import web

app_name = "imports"
urlpatterns = [
    path("<slug:slug>/imports/", web.imports, name="list"),
    path("<slug:slug>/imports/new/", web.upload, name="new"),
    path("<slug:slug>/imports/<int:import_id>/", web.show, name="import"),
    path("<slug:slug>/imports/<int:import_id>/progress/", web.progress, name="progress"),
    path("<slug:slug>/imports/<int:import_id>/columns/", web.map_columns, name="columns"),
    path("<slug:slug>/imports/<int:import_id>/commit/", web.commit, name="commit"),
    path("<slug:slug>/imports/<int:import_id>/discard/", web.discard, name="discard"),
    path("<slug:slug>/imports/<int:import_id>/undo/", web.undo, name="undo"),
    path("<slug:slug>/imports/<int:import_id>/rejects/", web.rejects, name="rejects"),
]
