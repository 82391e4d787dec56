"""Keys per subject: seal, open, blind index, shred. No I/O: stores and master keys come in from outside."""

from kept.core.vault import normalise
from kept.core.vault.blind import BlindIndex
from kept.core.vault.keys import KEY_BYTES, WRAPPED_BYTES, KeyWrapper, MasterKey
from kept.core.vault.store import KeyStore, MemoryKeyStore
from kept.core.vault.vault import SEAL_BYTES, Vault

__all__ = [
    "KEY_BYTES",
    "SEAL_BYTES",
    "WRAPPED_BYTES",
    "BlindIndex",
    "KeyStore",
    "KeyWrapper",
    "MasterKey",
    "MemoryKeyStore",
    "Vault",
    "normalise",
]
