"""Copies: what is held and why, every piece of it, in forms to read and to take elsewhere, and who was given it."""

from __future__ import annotations

import os
from datetime import timedelta

from django.utils import timezone

from kept.apps.requests import letters, private, queries
from kept.apps.requests.actions.base import package_path, packages, person
from kept.apps.requests.answers.base import Answer, finish
from kept.apps.requests.models import Request
from kept.apps.requests.package import build
from kept.core.errors import Conflict
from kept.platform.accounts.models import Account
from kept.platform.data.faults import point
from kept.platform.data.models import Subject
from kept.platform.privacy.gate import reserved

PACKAGE_WAITS = timedelta(days=14)


def _pack(account: Account, request: Request, subject: Subject) -> None:
    """Gather, seal into a file, then say that it is there."""
    with reserved(account.pk, person(request), "rights", rule=request.rule, request=request.reference) as use:
        if queries.subject_of(use, request) is None:
            raise Conflict("The person was erased meanwhile.", place=request.reference)
        package = build(use, account, subject, request.reference, timezone.now())
    content = package.zipped()
    packages().mkdir(parents=True, exist_ok=True, mode=0o700)
    path = package_path(request.reference)
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(private.seal_bytes(request, content, "package"))
    point("requests:packed")
    try:
        finish(account, request, letters.ready, {**package.summary, "bytes": len(content)}, waits=PACKAGE_WAITS)
    except Conflict:
        path.unlink(missing_ok=True)  # an erasure closed the request meanwhile
        raise


ACCESS = Answer(_pack)
KNOW = Answer(_pack)
PORTABILITY = Answer(_pack)
MARKETING_DISCLOSURES = Answer(_pack)
