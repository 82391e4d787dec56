"""What the commands about one person do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kept.core.errors import Closed, Conflict
from kept.core.ledger import encode
from kept.platform.accounts.queries import account_by_slug
from kept.platform.data.datamap import of_subjects
from kept.platform.data.models import Subject
from kept.platform.data.use import Use
from kept.platform.privacy import ledger, provenance, subjects, values
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Erasure
from kept.project.console import Person


@contextmanager
def found(slug: str, person: Person, actor: str) -> Iterator[tuple[Use, Subject]]:
    """The subject of that identifier, under the purpose `rights`. Raises NotFound."""
    account = account_by_slug(slug)
    with reserved(account.pk, actor, "rights") as use:
        yield use, subjects.find(use, person.kind, person.value, account.region)


def held(slug: str, person: Person, actor: str) -> list[dict[str, Any]]:
    """Every value held on a person, with its origin and purposes."""
    answer: list[dict[str, Any]] = []
    with found(slug, person, actor) as (use, subject):
        for table in of_subjects():
            model: Any = table.model
            records = values.opened(use, list(model.under(use).filter(subject_id=subject.pk)))
            reasons = provenance.explain(use, records, {subject.pk: subject.permits})
            for row in records:
                for column, category in _columns(row).items():
                    if value := getattr(row, column):
                        why = reasons.get((table.name, row.pk, column))
                        answer.append({"what": f"{table.name}.{column}", "category": category, "value": value, "why": in_words(why)})
    return answer


def _columns(row: Any) -> dict[str, str]:
    if row.personal.by_row:
        return {"value": row.category, **row.personal.columns}
    return dict(row.personal.columns)


def in_words(why: provenance.Why | None) -> str:
    """An origin as one sentence."""
    if why is None:
        return "no origin recorded"
    kept = f"; kept {why.kept}" if why.kept else ""
    used = ", ".join(why.purposes) or "nothing now"
    refused = f"; not for {', '.join(why.refused)}" if why.refused else ""
    origin = f"from {why.source} ({why.occasion}) on {why.at:%d %B %Y}, {why.basis}"
    return f"{origin}, for {used}{refused}{kept}; version {why.notice_version}, {why.rule}"


def answer(slug: str, kind: str, person: Person, actor: str, out: Path) -> dict[str, str]:
    """Carry out a request for a person found; the files written."""
    from kept.apps.requests import actions

    account = account_by_slug(slug)
    with found(slug, person, actor) as (_, subject):
        subject_id = subject.pk
    out.mkdir(parents=True, exist_ok=True)
    if kind == "access":
        package = actions.run_access(account, subject_id, actor)
        path = out / "package.zip"
        path.write_bytes(package.zipped())
        return {"package": str(path)}
    done = actions.run_erasure(account, subject_id, actor)
    with suppress(Conflict, Closed):  # the certificate of the first stage holds, and the worker tries again
        actions.clear_residue()
    with bookkeeping(account.pk) as use:
        certificate = Erasure.under(use).get(pk=done.pk).certificate
    path, key = out / "kept-certificate.json", out / "ledger-key.pem"
    path.write_bytes(encode(certificate or {}))
    key.write_text(ledger.signing_key(account.pk)[1].to_pem())
    return {"certificate": str(path), "key": str(key)}
