from django.apps import AppConfig


class DataConfig(AppConfig):
    name = "kept.platform.data"
    label = "data"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of the data map."""
        from kept.platform.data import datamap  # noqa: F401
