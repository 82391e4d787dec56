"""The application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kept.project.settings")
application = get_wsgi_application()

from kept.platform.privacy.backup import refuse_unfinished  # noqa: E402 (it needs the settings)

refuse_unfinished()
