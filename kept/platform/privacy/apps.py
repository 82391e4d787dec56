from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "kept.platform.privacy"
    label = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what is enforced and proved here; importing the provers registers them."""
        from kept.platform.privacy import enforcing, provers  # noqa: F401

        enforcing.register()
