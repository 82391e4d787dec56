"""Rows of cases and of the holds that they place; `holds` asks and changes them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from kept.platform.data.personal import AccountModel, Personal


class Case(AccountModel):
    """A matter for which data is kept from retention and erasure: a claim, a duty, an investigation. It stays on record once released.

    `request` is the erasure that an exception of the notice's holds back, where a case was opened for that.
    """

    reference = models.CharField(max_length=32)
    title = models.TextField()
    ground = models.CharField(max_length=32)
    note = models.TextField(blank=True, db_default="")
    request = models.CharField(max_length=32, blank=True, db_default="")
    opened_by = models.CharField(max_length=64)
    opened_at = models.DateTimeField()
    released_by = models.CharField(max_length=64, blank=True, db_default="")
    released_at = models.DateTimeField(null=True)
    released_because = models.TextField(blank=True, db_default="")

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("reference", "title", "ground", "note", "request", "opened_by", "opened_at"),
            *("released_by", "released_at", "released_because"),
        ),
        erase="keep",
        keep_because="Why data was held back; people appear by random reference only.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            *AccountModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "reference"], name="privacy_case_reference"),
        ]


class Hold(AccountModel):
    """That a case holds one category (or `*`, everything) of one subject, until a date or until it is released.

    `entry` is the ledger's of its placing, `released_entry` that of its release.
    """

    case = models.ForeignKey(Case, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    subject_reference = models.CharField(max_length=32)
    category = models.CharField(max_length=64)
    until = models.DateTimeField(null=True)
    placed_by = models.CharField(max_length=64)
    placed_at = models.DateTimeField()
    entry = models.BigIntegerField()
    released_by = models.CharField(max_length=64, blank=True, db_default="")
    released_at = models.DateTimeField(null=True)
    released_entry = models.BigIntegerField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("case", "subject_reference", "category", "until", "placed_by", "placed_at", "entry"),
            *("released_by", "released_at", "released_entry"),
        ),
        erase="keep",
        keep_because="Which data was held back, by random reference.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            *AccountModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "case", "subject_reference", "category"], name="privacy_hold_one"),
        ]
        indexes = [models.Index(fields=["account_id", "subject_reference"], name="privacy_hold_subject")]
