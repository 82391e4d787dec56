"""Steps of the tests of backup and restore, each in a process of its own, which a fault point may kill:
`python -m tests.backing_steps STEP ACCOUNT …`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import django


def request_of(email: str) -> str:
    """The request by which this person is erased."""
    return hashlib.sha256(email.encode()).hexdigest()[:32]


def subject_of(account_id: int, email: str) -> int:
    """The subject known by this address; 0 for none."""
    from kept.platform.privacy import subjects
    from kept.platform.privacy.gate import reserved
    from kept.platform.privacy.models import Identifier

    with reserved(account_id, "command:test", "matching") as use:
        digest = subjects.digest(account_id, "email", email, "GB")
        return int(Identifier.under(use).filter(kind="email", digest=digest).values_list("subject_id", flat=True).first() or 0)


def found(slug: str, file: str) -> int:
    """Tables, an account under the example notice with an owner, and the people of a CSV file; how many there are."""
    from kept.apps.imports import actions
    from kept.platform.accounts.actions import create_account
    from kept.platform.data.guard import install
    from kept.platform.privacy.testing import with_notice

    install.migrate()
    account = with_notice(create_account(slug, "Larch & Daughters", "GB", "alice@larch.example"))
    with Path(file).open("rb") as stream:
        run = actions.start(account.pk, stream, "the order book", "contract", "command:test")
    return int(actions.commit_now(account.pk, run.pk, "command:test").created)


def hold(account_id: int, emails: list[str]) -> None:
    """Hold these people's names for a claim."""
    from kept.platform.data.models import Subject
    from kept.platform.privacy import holds
    from kept.platform.privacy.bookkeeping import bookkeeping

    ids = [subject_of(account_id, email) for email in emails]
    with bookkeeping(account_id, writing=True) as use:
        references = list(Subject.under(use).filter(pk__in=ids).values_list("reference", flat=True))
        made = holds.open_case(use, "member:alice", "Claim about the pier", "legal-claim")
        holds.place(use, "member:alice", made.pk, references, categories=["name"])


def release(account_id: int) -> None:
    """Release every hold."""
    from kept.platform.privacy import holds
    from kept.platform.privacy.bookkeeping import bookkeeping

    with bookkeeping(account_id, writing=True) as use:
        for case in list(holds.cases(use)):
            holds.release(use, "member:alice", case.pk, "It was settled.")


def erase(account_id: int, emails: list[str]) -> None:
    """Erase people, to the first certificate."""
    from kept.platform.privacy import erasure

    for email in emails:
        erasure.erase(account_id, "command:test", subject_of(account_id, email), request_of(email), "right:erasure")


def finish() -> None:
    """What a start and the worker's next round do."""
    from kept.platform.privacy import erasure

    erasure.resume_all()
    erasure.clear_residue()


def look(account_id: int, emails: list[str]) -> dict[str, Any]:
    """Who of these is here, who is suppressed, how many people there are, and how the erasures stand."""
    from kept.apps.contacts.models import Person
    from kept.core.ledger import verify_receipt
    from kept.core.ledger.encoding import encode
    from kept.platform.data.models import Subject
    from kept.platform.privacy import journal, ledger, subjects, suppression
    from kept.platform.privacy.bookkeeping import bookkeeping
    from kept.platform.privacy.gate import reserved
    from kept.platform.privacy.models import Erasure

    _, key = ledger.signing_key(account_id)
    digests = {email: ("email", subjects.digest(account_id, "email", email, "GB")) for email in emails}
    with bookkeeping(account_id) as use:
        suppressed = suppression.found(use, list(digests.values()))
        held = list(Erasure.under(use))
    with reserved(account_id, "command:test", "rights") as use:
        people = (Subject.under(use).count(), Person.under(use).count())
    return {
        "here": [email for email in emails if subject_of(account_id, email)],
        "suppressed": [email for email in emails if digests[email] in suppressed],
        "people": people,
        "stages": {one.request: (one.certificate or {}).get("document", {}).get("stage") for one in held},
        "valid": all(verify_receipt(encode(one.certificate), key).state == "valid" for one in held if one.certificate),
        "open": [intent.request for intent in journal.unfinished()],
        "faults": ledger.faults(account_id),
    }


def digests() -> dict[str, str]:
    """Each table that is backed up, every bit of every row."""
    from kept.platform.privacy.backup import content

    with content.snapshot() as cursor:
        rows = {name: sorted(line for _, line in content.lines(cursor, part)) for name, part in content.parts().items()}
    return {name: hashlib.sha256(b"\n".join(lines)).hexdigest() for name, lines in rows.items()}


def main() -> None:
    django.setup()
    from kept.platform.accounts.queries import account_by_slug

    step, slug, *arguments = sys.argv[1:]
    said: Any = None
    match step:
        case "found":
            said = found(slug, arguments[0])
        case "erase":
            erase(account_by_slug(slug).pk, arguments)
        case "hold":
            hold(account_by_slug(slug).pk, arguments)
        case "release":
            release(account_by_slug(slug).pk)
            finish()
        case "erase to the end":
            erase(account_by_slug(slug).pk, arguments)
            finish()
        case "finish":
            finish()
        case "digests":
            said = digests()
        case "look":
            said = look(account_by_slug(slug).pk, arguments)
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
