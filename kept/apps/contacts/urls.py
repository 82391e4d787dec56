"""Addresses of people and companies."""

from django.urls import path

from kept.apps.contacts import web

app_name = "contacts"
urlpatterns = [
    path("<slug:slug>/people/", web.people, name="people"),
    path("<slug:slug>/people/new/", web.new_person, name="new-person"),
    path("<slug:slug>/people/<int:person_id>/", web.person, name="person"),
    path("<slug:slug>/people/<int:person_id>/remove/", web.remove_person, name="remove-person"),
    path("<slug:slug>/people/<int:person_id>/values/<slug:key>/", web.change_value, name="change-value"),
    path("<slug:slug>/people/<int:person_id>/values/<slug:key>/remove/", web.remove_value, name="remove-value"),
    path("<slug:slug>/people/<int:person_id>/choices/<slug:purpose>/", web.choose, name="choose"),
    path("<slug:slug>/companies/", web.companies, name="companies"),
    path("<slug:slug>/companies/<int:company_id>/", web.company, name="company"),
]
