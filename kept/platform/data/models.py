"""The person the data is about, as the engine knows them."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models

from kept.platform.data.personal import AccountModel, Personal
from kept.platform.data.use import RESERVED_BIT


def new_reference() -> str:
    """A random reference: the only name by which the ledger knows a subject. 128 bits, hex."""
    return secrets.token_hex(16)


class Subject(AccountModel):
    """One person of one account. Every personal row points here and carries a copy of `permits`.

    `permits` has a bit for each purpose the person's data may serve now; `changes_at` is when that next changes by itself.
    `notice_version` is the number of the version that governs what was collected: the one in force when they came, or the last that
    they agreed to. Only the engine's functions write these.
    """

    reference = models.CharField(max_length=32, default=new_reference)
    permits = models.BigIntegerField()
    changes_at = models.DateTimeField(null=True)
    key_id = models.BigIntegerField(null=True)
    region = models.CharField(max_length=8)
    created_at = models.DateTimeField()
    notice_version = models.IntegerField(db_default=0)

    personal: ClassVar = Personal(
        columns={}, plain=("reference", "permits", "changes_at", "key_id", "region", "created_at", "notice_version"), erase="delete"
    )

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account_id", "id", "permits"], name="data_subject_mask"),
            # A mask without the reserved purposes' bit would hide the person from erasure too.
            models.CheckConstraint(condition=models.Q(permits__gte=1 << RESERVED_BIT), name="data_subject_reserved_bit"),
            models.UniqueConstraint(fields=["account_id", "reference"], name="data_subject_reference"),
        ]
        indexes = [
            models.Index(fields=["account_id", "changes_at"], name="data_subject_due", condition=models.Q(changes_at__isnull=False)),
            models.Index(fields=["account_id", "notice_version"], name="data_subject_version"),
        ]
