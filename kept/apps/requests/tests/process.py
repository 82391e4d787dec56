"""One step in a process of its own, which a fault point kills: `python -m kept.apps.requests.tests.process STEP ACCOUNT REFERENCE`."""

from __future__ import annotations

import sys

import django


def main() -> None:
    django.setup()
    from kept.apps.requests import actions, outbox, queries, telling
    from kept.apps.requests.models import OutboxMessage, Telling
    from kept.platform.accounts.models import Account
    from kept.platform.privacy.bookkeeping import bookkeeping

    step, account_id, reference = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    request = queries.by_reference(account_id, reference)
    match step:
        case "answer":
            actions.answer(account_id, reference)
        case "residue":
            actions.clear_residue()
        case "fetch":
            actions.fetch_certificate(Account.objects.get(pk=account_id), request)
        case "deliver":
            with bookkeeping(account_id) as use:
                (waiting,) = OutboxMessage.under(use).filter(request=reference, sent_at=None).values_list("pk", flat=True)
            outbox.deliver(account_id, waiting)
        case "tell":
            with bookkeeping(account_id) as use:
                (waiting,) = Telling.under(use).filter(request=reference, how="address", sent_at=None).values_list("pk", flat=True)
            telling.deliver(account_id, waiting)


if __name__ == "__main__":
    main()
