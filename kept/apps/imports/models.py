"""An import of people from a file: where it stands, what it staged, and what it found before it changed anything."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from kept.platform.data.personal import AccountModel, Personal, PersonalModel

STAGING, STAGED, COMMITTING, COMMITTED = "staging", "staged", "committing", "committed"
UNDOING, UNDONE, DISCARDED = "undoing", "undone", "discarded"
OUTCOMES = ("read", "created", "updated", "duplicates", "rejected", "suppressed")


class Import(AccountModel):
    """One file. staging → staged → committing → committed → undoing → undone, or discarded before it was committed.

    `key_id` is the key under which everything staged, rejected and remembered of it is sealed; None once that key is destroyed.
    `position` is how many batches are committed; `layout` describes the file's columns, `mapping` says what each one is.
    """

    state = models.CharField(max_length=16)
    source = models.TextField(blank=True, db_default="")
    basis = models.CharField(max_length=32, blank=True, db_default="")
    rule = models.CharField(max_length=128, blank=True, db_default="")
    layout = models.JSONField()
    mapping = models.JSONField()
    by = models.CharField(max_length=64)
    key_id = models.BigIntegerField(null=True)
    provenance_id = models.BigIntegerField(null=True)
    batches = models.IntegerField(db_default=0)
    position = models.BigIntegerField(db_default=0)
    read = models.BigIntegerField(db_default=0)
    created = models.BigIntegerField(db_default=0)
    updated = models.BigIntegerField(db_default=0)
    duplicates = models.BigIntegerField(db_default=0)
    rejected = models.BigIntegerField(db_default=0)
    suppressed = models.BigIntegerField(db_default=0)
    dropped_cells = models.BigIntegerField(db_default=0)
    undone = models.BigIntegerField(db_default=0)
    left = models.JSONField(null=True)
    doomed_keys = models.JSONField(null=True)
    created_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *(
                "state",
                "source",
                "basis",
                "rule",
                "provenance_id",
                "layout",
                "mapping",
                "by",
                "key_id",
                "batches",
                "position",
                *OUTCOMES,
                "dropped_cells",
            ),
            *("undone", "left", "doomed_keys", "created_at", "committed_at", "ended_at"),
        ),
    )


class Batch(AccountModel):
    """Some rows of a file, sealed under the import's key until they are committed; then what was rejected of them.

    `companies` are those that committing it created.
    """

    run = models.ForeignKey(Import, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    number = models.IntegerField()
    rows = models.IntegerField()
    sealed = models.BinaryField()
    rejects = models.BinaryField(null=True)
    companies = models.JSONField(null=True)

    personal: ClassVar = Personal(columns={}, plain=("run", "number", "rows", "sealed", "rejects", "companies"))

    class Meta(AccountModel.Meta):
        constraints = [
            *AccountModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "run", "number"], name="imports_batch_number"),
        ]


class Before(PersonalModel):
    """That an import met somebody who was here already, and, sealed under its key, what it changed of them."""

    run = models.ForeignKey(Import, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    sealed = models.BinaryField(null=True)

    personal: ClassVar = Personal(columns={}, plain=("run", "sealed"))

    class Meta(PersonalModel.Meta):
        constraints = [
            *PersonalModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "run", "subject"], name="imports_before_once"),
        ]
