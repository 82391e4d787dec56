"""The jobs of the job table itself."""

from __future__ import annotations

from django.utils import timezone

from kept.platform.jobs import actions
from kept.platform.jobs.task import daily, job


@job("jobs.prune", schedule=daily("03:40"))
def prune() -> None:
    actions.prune(timezone.now())
