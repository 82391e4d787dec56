"""The privacy core as one: notice, choices, masks, ledger, erasure."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.utils import timezone

from kept.core.errors import BadInput, NotFound, RoomClosed, Shredded
from kept.core.ledger import encode, verify_receipt
from kept.core.vault import Vault
from kept.platform.accounts.models import Account
from kept.platform.data.models import Subject
from kept.platform.data.use import RESERVED_BIT, writing
from kept.platform.privacy import choices, erasure, ledger, notices, subjects, values
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import ValueOrigin
from kept.platform.privacy.secrets import rotate_master_key, vault
from kept.platform.privacy.testing import cast, someone, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def permitted(account: Account, subject_id: int) -> set[str]:
    bits = notices.policy_of(account.pk).bits
    with reserved(account.pk, "command:test", "rights") as use:
        mask = Subject.under(use).get(pk=subject_id).permits
    assert mask >> RESERVED_BIT & 1
    return {purpose for purpose, bit in bits.items() if mask >> bit & 1}


def test_a_room_whose_purpose_is_not_declared_is_closed(account: Account) -> None:
    with pytest.raises(RoomClosed, match="recruitment") as caught, acting(account.pk, "command:test", "recruitment"):
        pass
    assert caught.value.rule == "purpose:recruitment"


def test_a_choice_is_in_force_and_in_the_ledger_when_it_returns(account: Account) -> None:
    dana = someone(account, "dana.choices@quayside.example")
    assert "direct-marketing" not in permitted(account, dana.id)
    with reserved(account.pk, "command:test", "rights") as use:
        subject = subjects.find(use, "email", " Dana.Choices@QUAYSIDE.example ", "GB")
        assert subject.pk == dana.id
        choices.choose(use, subject, "allow", "direct-marketing")
        assert "direct-marketing" in permitted(account, dana.id)
        choices.choose(use, subject, "restrict", "all")
        assert not {"direct-marketing", "customer-relations"} & permitted(account, dana.id)
        choices.choose(use, subject, "lift", "all")
        choices.choose(use, subject, "object", "direct-marketing")
        assert "direct-marketing" not in permitted(account, dana.id)
        assert "customer-relations" in permitted(account, dana.id)
        assert choices.replay(use, subject.reference) == choices.held(use, dana.id)
        with pytest.raises(BadInput, match="astrology"):
            choices.choose(use, subject, "object", "astrology")


def test_a_consent_that_expires_closes_by_itself_before_the_next_read(account: Account) -> None:
    dana = someone(account, "dana.expiry@quayside.example")
    with reserved(account.pk, "command:test", "rights") as use:
        subject = Subject.under(use).get(pk=dana.id)
        choices.choose(use, subject, "allow", "direct-marketing", until=timezone.now() + timedelta(milliseconds=50))
    while True:
        with acting(account.pk, "command:test", "direct-marketing") as use:
            if not Subject.under(use).filter(pk=dana.id).exists():
                break
    assert "direct-marketing" not in permitted(account, dana.id)


def test_erasure_leaves_a_certificate_and_a_ledger_that_verifies(account: Account) -> None:
    dana = someone(account, "dana.erased@quayside.example")
    with reserved(account.pk, "command:test", "rights") as use:
        subject = Subject.under(use).get(pk=dana.id)
        choices.choose(use, subject, "allow", "direct-marketing")
    request = "ab" * 16
    done = erasure.erase(account.pk, "command:test", dana.id, request, "right:erasure")
    assert done.findings == {}
    assert done.certificate
    assert done.certificate["document"]["stage"] == "erased"
    assert erasure.erase(account.pk, "command:test", dana.id, request, "right:erasure").pk == done.pk
    with reserved(account.pk, "command:test", "rights") as use:
        with pytest.raises(NotFound):
            subjects.find(use, "email", dana.email, "GB")
        with pytest.raises(Shredded):
            choices.replay(use, subject.reference)
    assert erasure.clear_residue() >= 1
    again = erasure.erase(account.pk, "command:test", dana.id, request, "right:erasure")
    assert again.certificate
    assert again.certificate["document"]["stage"] == "residue cleared"
    _, key = ledger.signing_key(account.pk)
    assert verify_receipt(encode(again.certificate), key).state == "valid"
    assert ledger.faults(account.pk) == []


def test_a_value_that_would_read_as_sealed_is_refused(account: Account) -> None:
    dana = someone(account, "dana.forger@quayside.example")
    with reserved(account.pk, "command:test", "rights") as use, pytest.raises(BadInput, match="sealed"), writing(use):
        values.insert(use, ValueOrigin, ("subject", "table", "row_id", "column"), [(dana.id, "sealed:AAAA", 1, "x")])


def test_keys_open_under_a_new_master_key_and_a_rotation_cut_short_goes_on(account: Account) -> None:
    (one,) = vault().create()
    sealed = vault().seal(one, b"oak", "test")
    former = (settings.DATA / "master.key").read_text()
    with mock.patch.object(Vault, "rotate", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        rotate_master_key()
    vault.cache_clear()
    assert vault().open(one, sealed, "test") == b"oak"
    assert rotate_master_key() >= 1
    assert not (settings.DATA / "master.former").exists()
    assert (settings.DATA / "master.key").read_text() != former
    assert vault().open(one, sealed, "test") == b"oak"
