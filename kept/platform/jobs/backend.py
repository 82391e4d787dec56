"""django-tasks on our own table: every `enqueue` of the product comes through here."""

from __future__ import annotations

from typing import Any

from django_tasks import TaskResult, TaskResultStatus
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task

from kept.platform.jobs import actions
from kept.platform.jobs.task import JobTask


class JobBackend(BaseTaskBackend):
    task_class = JobTask  # type: ignore[assignment]  # django-tasks annotates none, so mypy wants exactly its own
    supports_defer = True
    supports_priority = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        """Stores the job in the caller's transaction. Of a unique job that waits already, the result names the waiting one."""
        assert isinstance(task, JobTask)
        self.validate_task(task)
        row = actions.enqueue(task, task.arguments(args, kwargs))
        return TaskResult(
            task=task,
            id=str(row.pk),
            status=TaskResultStatus(row.status),
            enqueued_at=row.enqueued_at,
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=[],
            kwargs=row.arguments,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
