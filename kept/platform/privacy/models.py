"""What the platform remembers about people's data: identifiers, choices, origins, the ledger, suppression, proofs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from kept.platform.data.personal import AccountModel, Personal, PersonalModel

_PHONE = models.Q(kind="phone")


class NoticeVersion(models.Model):
    """A version of an account's notice. Public, and never changed once active. `bits` is the account's allotment at that version."""

    account_id = models.BigIntegerField()
    number = models.IntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64)
    bits = models.JSONField()
    activated_at = models.DateTimeField()
    activated_by = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account_id", "number"], name="privacy_noticeversion_number")]


class Provenance(AccountModel):
    """Where values came from: one row for each occasion, shared by all the records of a batch."""

    source = models.CharField(max_length=64)
    occasion = models.TextField()
    basis = models.CharField(max_length=32)
    rule = models.CharField(max_length=128)
    notice_version = models.IntegerField()
    at = models.DateTimeField()
    by = models.CharField(max_length=64)

    personal: ClassVar = Personal(columns={}, plain=("source", "occasion", "basis", "rule", "notice_version", "at", "by"))


class ValueOrigin(PersonalModel):
    """The origin of one value that differs from its record's."""

    table = models.CharField(max_length=64)
    row_id = models.BigIntegerField()
    column = models.CharField(max_length=64)

    personal: ClassVar = Personal(columns={}, plain=("table", "row_id", "column"))

    class Meta(PersonalModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "table", "row_id", "column"], name="privacy_valueorigin_value")]


class Identifier(PersonalModel):
    """What a person can be found by, as a keyed digest. An email address or a source's own number belongs to one subject."""

    kind = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(columns={}, plain=("kind", "digest"))

    class Meta(PersonalModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "kind", "digest"], name="privacy_identifier_one", condition=~_PHONE)]
        indexes = [
            *PersonalModel.Meta.indexes,
            models.Index(fields=["account_id", "kind", "digest"], name="privacy_identifier_phone", condition=_PHONE),
        ]


class Choice(PersonalModel):
    """What a person decided on one purpose: a projection of the ledger. `restricted` is article 18, apart from consent and objection."""

    purpose = models.CharField(max_length=64)
    state = models.CharField(max_length=16, blank=True, db_default="")
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    restricted = models.BooleanField(db_default=False)

    personal: ClassVar = Personal(columns={}, plain=("purpose", "state", "at", "until", "restricted"))

    class Meta(PersonalModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "subject", "purpose"], name="privacy_choice_purpose")]


class Suppression(AccountModel):
    """Keyed digests of identifiers that must not come back. Nothing here can be turned into an address again."""

    kind = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32)
    rule = models.CharField(max_length=128)
    at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={}, plain=("kind", "digest", "rule", "at"), erase="keep", keep_because="So that an import cannot bring the person back."
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "kind", "digest"], name="privacy_suppression_one")]


class Entry(AccountModel):
    """A ledger entry: a clear header and a sealed payload. `number` is given by the sequencer."""

    number = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    header = models.TextField()
    payload = models.BinaryField(null=True)
    key_id = models.BigIntegerField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("number", "kind", "at", "header", "payload", "key_id"),
        erase="keep",
        keep_because="The header names nobody, and the payload is noise once its key is destroyed.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            *AccountModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "number"], name="privacy_entry_number"),
        ]
        indexes = [models.Index(fields=["account_id", "id"], name="privacy_entry_unnumbered", condition=models.Q(number__isnull=True))]


class EntrySubject(AccountModel):
    """Which entries speak of which subject, by random reference."""

    reference = models.CharField(max_length=32)
    entry = models.ForeignKey(Entry, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")

    personal: ClassVar = Personal(
        columns={}, plain=("reference", "entry"), erase="keep", keep_because="A random reference, which nothing resolves after erasure."
    )

    class Meta(AccountModel.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = []
        indexes = [models.Index(fields=["account_id", "reference", "entry"], name="privacy_entrysubject_ref")]


class Node(AccountModel):
    """A node of the ledger's Merkle tree (RFC 6962): the root of a full subtree."""

    level = models.SmallIntegerField()
    position = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(columns={}, plain=("level", "position", "hash"), erase="keep", keep_because="Digests of headers.")

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "level", "position"], name="privacy_node_place")]


class Head(AccountModel):
    """A signed head of the ledger: this many entries, this root, at this time."""

    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    at = models.DateTimeField()
    signature = models.BinaryField(max_length=64)
    key = models.CharField(max_length=16)

    personal: ClassVar = Personal(columns={}, plain=("size", "root", "at", "signature", "key"), erase="keep", keep_because="Names nobody.")

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "size"], name="privacy_head_size")]


class LedgerKey(AccountModel):
    """An account's signing key: the public half to be published, the private half sealed under a key of the vault."""

    public = models.TextField()
    private = models.BinaryField()
    key_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={}, plain=("public", "private", "key_id", "created_at"), erase="keep", keep_because="Belongs to the account."
    )


class Proof(AccountModel):
    """The outcome of proving one rule at one time."""

    rule = models.CharField(max_length=128)
    state = models.CharField(max_length=16)
    counted = models.BigIntegerField()
    said = models.TextField()
    evidence = models.JSONField()
    at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={}, plain=("rule", "state", "counted", "said", "evidence", "at"), erase="keep", keep_because="Counts and references only."
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "rule", "-at"], name="privacy_proof_latest")]


class Erasure(AccountModel):
    """How far the erasure of one subject has come. It names nobody: reference, counts and times only."""

    request = models.CharField(max_length=32)
    reference = models.CharField(max_length=32)
    rule = models.CharField(max_length=128)
    counts = models.JSONField()
    erased_at = models.DateTimeField()
    key_destroyed_at = models.DateTimeField(null=True)
    files = models.JSONField(null=True)
    residue_at = models.DateTimeField(null=True)
    findings = models.JSONField(null=True)
    certificate = models.JSONField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("request", "reference", "rule", "counts", "erased_at", "key_destroyed_at", "files", "residue_at", "findings", "certificate"),
        erase="keep",
        keep_because="The proof of the erasure.",
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "request"], name="privacy_erasure_request")]
