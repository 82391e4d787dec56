"""A job row: which task with which ids, when, who holds it, how far it is, and how it ended. Nothing personal, ever."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django_tasks import TaskResultStatus as Status

LIVE = (Status.READY, Status.RUNNING)


class Job(models.Model):
    """One enqueued task. READY → RUNNING → SUCCESSFUL, or back to READY for a retry, or FAILED: the dead-letter list."""

    label = models.CharField(max_length=100)
    account_id = models.BigIntegerField(null=True)
    arguments = models.JSONField()
    priority = models.SmallIntegerField(default=0)
    # Jobs of one key never wait twice and never overlap.
    key = models.CharField(max_length=500, null=True)
    # The due time of a schedule that this job serves.
    slot = models.DateTimeField(null=True)

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.READY)
    run_after = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    # A random token for each claim: whoever no longer holds it can change nothing here.
    holder = models.CharField(max_length=32, default="")
    lease_until = models.DateTimeField(null=True)

    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    word = models.CharField(max_length=40, default="")

    # Never a message or a traceback: they may hold what the job worked on.
    error_class = models.CharField(max_length=200, default="")
    error_code = models.CharField(max_length=50, default="")
    enqueued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "status"], condition=Q(status__in=LIVE), name="jobs_job_one_live_per_key"),
            models.UniqueConstraint(fields=["label", "slot"], name="jobs_job_one_per_slot"),
        ]
        indexes = [
            models.Index(fields=["-priority", "run_after", "id"], condition=Q(status=Status.READY), name="jobs_job_ready"),
            models.Index(fields=["lease_until"], condition=Q(status=Status.RUNNING), name="jobs_job_running"),
            models.Index(fields=["account_id", "status", "finished_at"], name="jobs_job_account"),
            models.Index(fields=["status", "finished_at"], name="jobs_job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.pk}"
