from __future__ import annotations

import base64

import pytest

from kept.core.errors import BadInput, Tampered
from kept.core.vault import WRAPPED_BYTES, MasterKey


def test_a_wrapped_key_has_one_length_and_opens_to_the_key() -> None:
    master, key = MasterKey.generate(), bytes(range(32))
    wrapped = master.wrap(key)
    assert len(wrapped) == WRAPPED_BYTES == 60
    assert master.unwrap(wrapped) == key
    assert master.wrap(key) != wrapped


@pytest.mark.parametrize("position", range(WRAPPED_BYTES))
def test_a_changed_wrapped_key_does_not_open(position: int) -> None:
    master = MasterKey(b"m" * 32)
    wrapped = bytearray(master.wrap(b"k" * 32))
    wrapped[position] ^= 1
    with pytest.raises(Tampered):
        master.unwrap(bytes(wrapped))


@pytest.mark.parametrize("wrapped", [b"", b"x" * 59, b"x" * 61])
def test_a_wrapped_key_of_another_length_does_not_open(wrapped: bytes) -> None:
    with pytest.raises(Tampered):
        MasterKey(b"m" * 32).unwrap(wrapped)


def test_another_master_key_does_not_open_and_is_named() -> None:
    wrapped = MasterKey(b"m" * 32).wrap(b"k" * 32)
    with pytest.raises(Tampered, match="Master key of-2027 does not open"):
        MasterKey(b"n" * 32, "of-2027").unwrap(wrapped)


def test_text_reads_back_in_both_alphabets_and_with_a_newline() -> None:
    master = MasterKey(b"\xfb\xff" * 16)
    assert MasterKey.from_text(master.to_text() + "\n") == master
    assert MasterKey.from_text(base64.urlsafe_b64encode(master.secret).decode()) == master


@pytest.mark.parametrize(
    "text", ["", "not base64 !", "\u00e9" * 44, base64.b64encode(b"short").decode(), base64.b64encode(b"x" * 33).decode()]
)
def test_bad_text_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        MasterKey.from_text(text)
    assert refusal.value.place == "master key"
    assert refusal.value.cure
    assert not text or text not in str(refusal.value)


def test_only_whole_keys_are_wrapped() -> None:
    with pytest.raises(BadInput):
        MasterKey(b"m" * 32).wrap(b"k" * 16)


def test_a_master_key_never_shows_its_secret() -> None:
    master = MasterKey(b"m" * 32)
    assert "mmm" not in repr(master)
    assert master.label in repr(master)
