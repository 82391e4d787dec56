from django.apps import AppConfig
from django.utils.translation import gettext_noop


class ImportsConfig(AppConfig):
    name = "kept.apps.imports"
    label = "imports"

    def ready(self) -> None:
        from kept.apps.imports import stores
        from kept.platform.privacy.registry import registry
        from kept.platform.ui.shell import Room, register

        registry.rooms.add("imports")
        registry.enforces("kept.apps.imports.actions", "collect", "collect.categories", "collect.attest=basis", "collect.attest=origin")
        register(Room(gettext_noop("Imports"), "imports:list", "records.import", "import", 60))
        if not any(store.name == stores.Staged.name for store in registry.stores):
            registry.stores.append(stores.Staged())
