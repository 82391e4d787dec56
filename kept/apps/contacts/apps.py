from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "kept.apps.contacts"
    label = "contacts"
