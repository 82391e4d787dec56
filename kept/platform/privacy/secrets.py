"""The deployment's secrets: the master key that wraps subjects' keys, and the secret of the blind index.

Each is an environment variable or a file that only its owner reads, made at first use.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from django.conf import settings

from kept.core.errors import BadInput, VaultClosed
from kept.core.vault import BlindIndex, MasterKey, Vault
from kept.platform.data.keystore import DatabaseKeyStore


def _load(given: str, path: Path) -> MasterKey:
    if given:
        return MasterKey.from_text(given)
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(MasterKey.generate().to_text())
        if path.stat().st_mode & 0o077:
            raise VaultClosed("Others may read this key.", place=path.name, cure=f"chmod 600 {path.name}, and rotate the master key.")
        return MasterKey.from_text(path.read_text())
    except (OSError, BadInput) as error:
        raise VaultClosed("The key cannot be read.", place=path.name, cure="Restore it, or give KEPT_MASTER_KEY.") from error


@cache
def vault() -> Vault:
    """The keys of subjects, requests, imports and accounts."""
    path: Path = settings.DATA / "master.key"
    former = [MasterKey.from_text(settings.FORMER_MASTER_KEY)] if settings.FORMER_MASTER_KEY else []
    if path.with_suffix(".former").exists():
        former.append(_load("", path.with_suffix(".former")))
    return Vault(DatabaseKeyStore(), _load(settings.MASTER_KEY, path), former=former)


@cache
def blind_index() -> BlindIndex:
    """Digests by which people are found. Its secret never rotates with the master key: digests could not be recomputed."""
    return BlindIndex(_load(settings.INDEX_KEY, settings.DATA / "index.key").secret)


def rotate_master_key() -> int:
    """Wrap every key under a new master key; how many. Resumable: until it is done the old key stands beside the new one."""
    if settings.MASTER_KEY:
        if not settings.FORMER_MASTER_KEY:
            raise VaultClosed(
                "The master key comes from the environment.",
                cure="Start everything with the new key in KEPT_MASTER_KEY and the old one in KEPT_FORMER_MASTER_KEY, then run this again.",
            )
        return vault().rotate(MasterKey.from_text(settings.MASTER_KEY))
    path: Path = settings.DATA / "master.key"
    former = path.with_suffix(".former")
    if not former.exists():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        _load("", fresh)
        os.link(path, former)
        fresh.replace(path)
    vault.cache_clear()
    count = vault().rotate(_load("", path))
    former.unlink()
    vault.cache_clear()
    return count
