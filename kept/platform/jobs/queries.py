"""What pages ask about jobs."""

from __future__ import annotations

from django.db.models import QuerySet
from django_tasks import TaskResultStatus as Status

from kept.core.errors import NotFound
from kept.platform.jobs.models import Job


def find(account_id: int | None, job_id: int) -> Job:
    """A job of this account (None: of none), with its `status` and its progress `done`, `total`, `word`. Raises NotFound."""
    row = Job.objects.filter(pk=job_id, account_id=account_id).first()
    if row is None:
        raise NotFound("No such job.", place=f"job {job_id}")
    return row


def dead_letters(account_id: int | None) -> QuerySet[Job]:
    """The jobs of this account (None: of none) that failed for good, latest first."""
    return Job.objects.filter(account_id=account_id, status=Status.FAILED).order_by("-finished_at", "-id")
