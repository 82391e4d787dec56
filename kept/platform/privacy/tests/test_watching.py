"""A third party watches a ledger: with nothing but signed heads it kept, it sees that an account rewrote its history."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from kept.core import ledger as core
from kept.core.errors import BadInput, Closed, NotFound
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.privacy import choices, ledger
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.models import Entry, Head
from kept.platform.privacy.testing import cast, someone, with_notice


@pytest.fixture
def account() -> Account:
    """An account with some history of Dana's."""
    account = with_notice(cast().account)
    dana = someone(account, "dana.watched@quayside.example")
    for verb in ("allow", "withdraw"):
        with reserved(account.pk, "command:test", "rights") as use:
            choices.choose(use, Subject.under(use).get(pk=dana.id), verb, "direct-marketing")
        ledger.sequence(account.pk)
    return account


def go_on(account: Account) -> None:
    """Something more happens, and a head is signed."""
    with reserved(account.pk, "command:test", "proof"):
        pass
    assert ledger.sequence(account.pk)


def rewrite(account: Account, *, every_head: bool) -> None:
    """What an account does that has its own database and key: change who gave consent, rebuild the tree, and sign its heads anew (else
    only the newest).
    """
    key, _ = ledger.signing_key(account.pk)
    with bookkeeping(account.pk) as use:
        entries = list(Entry.under(use).filter(number__isnull=False).order_by("number"))
        heads = list(Head.under(use).order_by("size"))
    given = next(entry for entry in entries if entry.kind == "consent")
    given.header = core.encode(ledger.header_of(given).as_document() | {"actor": "member:1"}).decode()
    _, nodes = core.Frontier().extend([core.leaf_hash(core.canonical(ledger.header_of(one), n)) for n, one in enumerate(entries)])
    store = core.MemoryNodeStore()
    store.put_many(nodes)
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE privacy_entry SET header = %s WHERE id = %s", [given.header, given.pk])
        for (level, position), digest in nodes.items():
            where: list[bytes | int] = [digest, account.pk, level, position]
            cursor.execute("UPDATE privacy_node SET hash = %s WHERE account_id = %s AND level = %s AND position = %s", where)
        for held in heads if every_head else heads[-1:]:
            head = core.Head(str(account.pk), held.size, core.Frontier.read(store, held.size).root, held.at)
            cursor.execute("UPDATE privacy_head SET root = %s, signature = %s WHERE id = %s", [head.root, head.sign(key), held.pk])


def sizes(account: Account) -> list[int]:
    with bookkeeping(account.pk) as use:
        return list(Head.under(use).order_by("size").values_list("size", flat=True))


def file(document: dict[str, Any]) -> bytes:
    return core.encode(document)


def test_heads_are_consistent_whatever_two_are_asked_for(account: Account) -> None:
    go_on(account)
    key = ledger.public_key(account.pk)
    assert key == ledger.signing_key(account.pk)[1]
    found = sizes(account)
    assert len(found) >= 3
    newest = file(ledger.head(account.pk))
    for old in found:
        for new in [one for one in found if one >= old]:
            held, proof = file(ledger.head(account.pk, old)), file(ledger.consistency(account.pk, old, new))
            assert core.verify_documents([held, proof], key).state == "valid"
        watched = [file(ledger.head(account.pk, old)), file(ledger.consistency(account.pk, old)), newest]
        assert core.verify_documents(watched, key).state == "valid"


def test_a_receipt_is_a_head_that_somebody_keeps(account: Account) -> None:
    with bookkeeping(account.pk) as use:
        entry = Entry.under(use).filter(kind="consent").order_by("id").first()
    assert entry is not None
    receipt = ledger.receipt(account.pk, entry.pk)
    go_on(account)
    proof = ledger.consistency(account.pk, receipt["head"]["size"])
    assert core.verify_documents([receipt, proof], ledger.public_key(account.pk)).state == "valid"


@pytest.mark.parametrize("place", [-1, -2])
def test_rewritten_history_is_caught_by_a_head_that_somebody_kept(account: Account, place: int) -> None:
    size, key = sizes(account)[place], ledger.public_key(account.pk)
    held = file(ledger.head(account.pk, size))
    rewrite(account, every_head=True)
    go_on(account)
    assert ledger.faults(account.pk) == []  # whoever has nothing but the database sees nothing
    answered = file(ledger.consistency(account.pk, size))
    assert core.verify_documents([answered], key).state == "valid"
    assert core.verify_documents([held, answered], key).state == "rewritten"
    assert core.verify_documents([held, file(ledger.head(account.pk, size))], key).state == "rewritten"


def test_history_rewritten_under_an_old_head_has_no_proof(account: Account) -> None:
    size = sizes(account)[-2]
    held = ledger.head(account.pk, size)
    rewrite(account, every_head=False)
    assert ledger.head(account.pk, size) == held
    with pytest.raises(Closed, match="does not go on from the head"):
        ledger.consistency(account.pk, size)


def test_what_was_never_signed_is_not_found(account: Account) -> None:
    newest = ledger.head(account.pk)["head"]["size"]
    for wrong in (0, newest + 1, 2**53):
        with pytest.raises(NotFound, match=f"No head of {wrong} entries was signed"):
            ledger.head(account.pk, wrong)
        with pytest.raises(NotFound):
            ledger.consistency(account.pk, wrong)
        with pytest.raises(NotFound):
            ledger.consistency(account.pk, newest, wrong)
    with pytest.raises(BadInput, match="cannot be the beginning"):
        ledger.consistency(account.pk, newest, sizes(account)[0])
    other = cast().other
    with pytest.raises(NotFound, match="no ledger yet"):
        ledger.head(other.pk)
    ledger.signing_key(other.pk)
    with pytest.raises(NotFound, match="no head yet"):
        ledger.head(other.pk)


def test_nothing_is_signed_by_asking(account: Account) -> None:
    with reserved(account.pk, "command:test", "proof"):
        pass
    before = sizes(account)
    ledger.head(account.pk)
    ledger.consistency(account.pk, before[0])
    assert sizes(account) == before
