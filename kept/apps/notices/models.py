"""Drafts of a notice: what the team writes before two of them agree on it. They are about the notice, never about a person."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from kept.platform.data.personal import AccountModel, Personal


class NoticeDraft(AccountModel):
    """A text that may become the next version. `based_on` is the version it was begun from (0: there was none), `revision` grows with each
    saved text. `split_from` is the draft whose other text was saved first when two people wrote at one time. `title` is the heading.
    """

    text = models.TextField()
    title = models.TextField()
    based_on = models.IntegerField()
    revision = models.IntegerField(db_default=1)
    state = models.CharField(max_length=16)
    author = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    updated_by = models.CharField(max_length=64)
    updated_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=64, blank=True, db_default="")
    proposed_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=64, blank=True, db_default="")
    decided_at = models.DateTimeField(null=True)
    split_from = models.BigIntegerField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("text", "title", "based_on", "revision", "state", "author", "created_at", "updated_by", "updated_at"),
            *("proposed_by", "proposed_at", "decided_by", "decided_at", "split_from"),
        ),
        erase="keep",
        keep_because="The text of a notice, and who of the team wrote and approved it.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "-updated_at"], name="notices_draft_latest")]


class DraftStep(AccountModel):
    """One thing that happened to a draft: what, by whom, in which words, to which text. `entry` is the ledger's, which commits to it."""

    draft = models.ForeignKey(NoticeDraft, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    what = models.CharField(max_length=16)
    actor = models.CharField(max_length=64)
    said = models.TextField(blank=True, db_default="")
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.BigIntegerField()
    salt = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(
        columns={},
        plain=("draft", "what", "actor", "said", "digest", "at", "entry", "salt"),
        erase="keep",
        keep_because="How a version of the notice was decided; a refused number is refused here too.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "draft", "id"], name="notices_draftstep_of")]
