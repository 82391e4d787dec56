"""What the platform remembers about people's data: identifiers, choices, origins, the ledger, suppression, proofs."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from kept.platform.data.personal import FENCE, AccountModel, Personal, PersonalModel
from kept.platform.privacy.cases import Case as Case
from kept.platform.privacy.cases import Hold as Hold

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


class Derivation(AccountModel):
    """One origin of what was derived: a value whose provenance is `provenance_id` obeys every limit that its origins stand under."""

    provenance_id = models.BigIntegerField()
    origin_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=64)
    category = models.CharField(max_length=64)
    record = models.CharField(max_length=64, blank=True, db_default="")

    personal: ClassVar = Personal(columns={}, plain=("provenance_id", "origin_id", "source", "category", "record"))

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "provenance_id"], name="privacy_derivation_of")]


class ValueOrigin(PersonalModel):
    """The origin of one value that differs from its record's."""

    table = models.CharField(max_length=64)
    row_id = models.BigIntegerField()
    column = models.CharField(max_length=64)

    personal: ClassVar = Personal(columns={}, plain=("table", "row_id", "column"))

    class Meta(PersonalModel.Meta):
        constraints = [FENCE, models.UniqueConstraint(fields=["account_id", "table", "row_id", "column"], name="privacy_valueorigin_value")]


class Identifier(PersonalModel):
    """What a person can be found by, as a keyed digest. An email address or a source's own number belongs to one subject."""

    kind = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(columns={}, plain=("kind", "digest"))

    class Meta(PersonalModel.Meta):
        constraints = [
            FENCE,
            models.UniqueConstraint(fields=["account_id", "kind", "digest"], name="privacy_identifier_one", condition=~_PHONE),
        ]
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
        constraints = [FENCE, models.UniqueConstraint(fields=["account_id", "subject", "purpose"], name="privacy_choice_purpose")]


class Suppression(AccountModel):
    """Keyed digests of identifiers: of the erased, who must not come back, and of those on the Do-Not-Sell list; `scope` says which
    (`suppression.Scope`). Nothing here can be turned into an address again, and neither list is used for anything else.
    """

    scope = models.CharField(max_length=8, db_default="erased")
    kind = models.CharField(max_length=16)
    digest = models.BinaryField(max_length=32)
    rule = models.CharField(max_length=128)
    at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={},
        plain=("scope", "kind", "digest", "rule", "at"),
        erase="keep",
        keep_because="So that an import cannot bring the erased back, nor have anybody sold who asked not to be.",
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "scope", "kind", "digest"], name="privacy_suppression_one")]


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
        indexes = [
            models.Index(fields=["account_id", "id"], name="privacy_entry_unnumbered", condition=models.Q(number__isnull=True)),
            models.Index(fields=["account_id", "kind", "id"], name="privacy_entry_kind"),
        ]


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
    """How far the erasure of one subject has come. It names nobody: reference, counts and times only.

    `kept` says what stays, why, and until when where that is known; nothing where the subject is erased whole.
    """

    request = models.CharField(max_length=32)
    reference = models.CharField(max_length=32)
    rule = models.CharField(max_length=128)
    counts = models.JSONField()
    kept = models.JSONField(null=True)
    erased_at = models.DateTimeField()
    key_destroyed_at = models.DateTimeField(null=True)
    files = models.JSONField(null=True)
    residue_at = models.DateTimeField(null=True)
    findings = models.JSONField(null=True)
    certificate = models.JSONField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("request", "reference", "rule", "counts", "kept", "erased_at", "key_destroyed_at"),
            *("files", "residue_at", "findings", "certificate"),
        ),
        erase="keep",
        keep_because="The proof of the erasure.",
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "request"], name="privacy_erasure_request")]


class Activation(models.Model):
    """The decision that a version shall come into force, and how far it has come. It names nobody of the people it concerns.

    `acceptance` is what the version before asked for, `summary` the summary of updates, `tell` how people are told. `told_up_to` is the
    last subject that a letter was written to. `version_id` is filled when the version comes into force, `finished_at` once everybody's
    mask follows it; `stopped_at` where it was called off before.
    """

    account_id = models.BigIntegerField()
    number = models.IntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64)
    acceptance = models.CharField(max_length=16)
    summary = models.JSONField()
    tell = models.JSONField()
    decided_at = models.DateTimeField()
    decided_by = models.CharField(max_length=64)
    effective_at = models.DateTimeField()
    told_up_to = models.BigIntegerField(db_default=0)
    told = models.BigIntegerField(db_default=0)
    told_at = models.DateTimeField(null=True)
    version_id = models.BigIntegerField(null=True)
    finished_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id"],
                condition=models.Q(finished_at__isnull=True, stopped_at__isnull=True),
                name="privacy_activation_one",
            )
        ]


class Acceptance(PersonalModel):
    """That a person agreed to a version of the notice, by saying so or by going on: a projection of the ledger."""

    number = models.IntegerField()
    how = models.CharField(max_length=16)
    at = models.DateTimeField()

    personal: ClassVar = Personal(columns={}, plain=("number", "how", "at"))

    class Meta(PersonalModel.Meta):
        constraints = [FENCE, models.UniqueConstraint(fields=["account_id", "subject", "number"], name="privacy_acceptance_one")]


class Instrument(AccountModel):
    """A paper on file that opens something: an agreement, an instruction of a customer, an order of a court, a mechanism of transfer.

    `party` is whom it is with: a recipient's name, a class of recipients, or the account's customer. `scope` lists the purposes
    (``purposes``), rules (``rules``) and subjects (``subjects``, by reference) it is for; a list left out means any. It is in its time
    from `valid_from` until `valid_until`, which is excluded; `ended_at` cuts it short. `entry` is the ledger's.
    """

    kind = models.CharField(max_length=16)
    party = models.TextField()
    ground = models.CharField(max_length=32, blank=True, db_default="")
    title = models.TextField()
    reference = models.TextField(blank=True, db_default="")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    recorded_by = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()
    note = models.TextField(blank=True, db_default="")
    scope = models.JSONField()
    entry = models.BigIntegerField()
    salt = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("kind", "party", "ground", "title", "reference", "valid_from", "valid_until", "ended_at"),
            *("recorded_by", "recorded_at", "note", "scope", "entry", "salt"),
        ),
        erase="keep",
        keep_because="A paper of the account's; people appear by random reference only.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "kind", "party"], name="privacy_instrument_party")]


class Disclosure(AccountModel):
    """What the header of a disclosure's ledger entry has no room for: the ground stated, the instrument it rests on, what was refused.

    `passed` and `held_back` list [category, source, people] of what went out and of what was kept back.
    """

    entry = models.BigIntegerField()
    salt = models.BinaryField(max_length=32)
    recipient = models.TextField()
    rule = models.CharField(max_length=128)
    purpose = models.CharField(max_length=64)
    form = models.CharField(max_length=16)
    ground = models.CharField(max_length=32, blank=True, db_default="")
    reason = models.TextField(blank=True, db_default="")
    instrument = models.ForeignKey(
        Instrument, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    people = models.IntegerField()
    passed = models.JSONField()
    held_back = models.JSONField()
    by = models.CharField(max_length=64)
    at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("entry", "salt", "recipient", "rule", "purpose", "form", "ground", "reason", "instrument", "people"),
            *("passed", "held_back", "by", "at"),
        ),
        erase="keep",
        keep_because="Counts and terms; the people are in the ledger's entry, by random reference.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "rule", "-at"], name="privacy_disclosure_rule")]


class Glass(AccountModel):
    """Leave to read records that a limit closes to people (`humans`): who, on which ground, why, which rows, until when.

    `rows` lists [table, id]. `told_at` is when the owners of the account were written to; it stays empty until the mail is handed over.
    """

    reference = models.CharField(max_length=32)
    actor = models.CharField(max_length=64)
    purpose = models.CharField(max_length=64)
    rules = models.JSONField()
    ground = models.CharField(max_length=16)
    reason = models.TextField()
    instrument = models.ForeignKey(
        Instrument, null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    rows = models.JSONField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    entry = models.BigIntegerField()
    salt = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("reference", "actor", "purpose", "rules", "ground", "reason", "instrument", "rows"),
            *("made_at", "expires_at", "told_at", "entry", "salt"),
        ),
        erase="keep",
        keep_because="Who was let in, and why. It names rows by number; the reason is refused when it holds a refused number.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            *AccountModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "reference"], name="privacy_glass_reference"),
        ]


class Aggregate(AccountModel):
    """A release of figures about groups. `question` says what was asked; `cells` what was shown: [group, figure, people]."""

    question = models.JSONField()
    measure = models.CharField(max_length=16)
    space = models.CharField(max_length=160)
    minimum = models.IntegerField()
    rule = models.CharField(max_length=128, blank=True, db_default="")
    purpose = models.CharField(max_length=64)
    cells = models.JSONField()
    by = models.CharField(max_length=64)
    at = models.DateTimeField()
    entry = models.BigIntegerField()
    salt = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(
        columns={},
        plain=("question", "measure", "space", "minimum", "rule", "purpose", "cells", "by", "at", "entry", "salt"),
        erase="keep",
        keep_because="Figures about groups.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "-at"], name="privacy_aggregate_latest")]


class AggregateBlock(AccountModel):
    """People (or contributions) that no combination of the figures released so far tells apart. `space` is what was counted or added up.

    A release that splits a block leaves it behind empty, with the release that did (`split_by`); the parts name it as `parent`.
    `sealed` are its members, under the account's own key for them.
    """

    space = models.CharField(max_length=160)
    parent = models.BigIntegerField(null=True)
    made_by = models.BigIntegerField()
    split_by = models.BigIntegerField(null=True)
    people = models.IntegerField()
    minimum = models.IntegerField()
    key_id = models.BigIntegerField()
    sealed = models.BinaryField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("space", "parent", "made_by", "split_by", "people", "minimum", "key_id", "sealed"),
        erase="keep",
        keep_because="Numbers that resolve to nobody once the person is erased, sealed; without them later figures could isolate others.",
    )

    class Meta(AccountModel.Meta):
        indexes = [
            models.Index(fields=["account_id", "space"], name="privacy_block_standing", condition=models.Q(split_by__isnull=True)),
            models.Index(fields=["account_id", "made_by"], name="privacy_block_made"),
        ]


class AggregateCell(AccountModel):
    """That a figure (`position` among the cells of its release) is about a block, as blocks stood once the release was made."""

    release = models.ForeignKey(Aggregate, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    position = models.IntegerField()
    block = models.ForeignKey(AggregateBlock, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")

    personal: ClassVar = Personal(
        columns={}, plain=("release", "position", "block"), erase="keep", keep_because="Which figure is about which group."
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "release"], name="privacy_cell_release")]


class Incident(AccountModel):
    """A promise that was found broken, until it is resolved: one for each rule at a time.

    `said`, `found` (references) and `proof` are those of the last proof that found it broken; `owner` is the member who looks after it.
    `by_hand` says that somebody resolved it with a reason, rather than a proof that found the promise kept again.
    """

    rule = models.CharField(max_length=128)
    state = models.CharField(max_length=16)
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    by_hand = models.BooleanField(db_default=False)
    owner = models.BigIntegerField(null=True)
    said = models.TextField()
    found = models.JSONField()
    count = models.BigIntegerField()
    proof = models.BigIntegerField()

    personal: ClassVar = Personal(
        columns={},
        plain=("rule", "state", "opened_at", "resolved_at", "by_hand", "owner", "said", "found", "count", "proof"),
        erase="keep",
        keep_because="What was broken and what was done; people appear by random reference only.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            *AccountModel.Meta.constraints,
            models.UniqueConstraint(fields=["account_id", "rule"], condition=~models.Q(state="resolved"), name="privacy_incident_one"),
        ]


class IncidentStep(AccountModel):
    """One thing that happened to an incident: what, by whom, in which words, and how it stood after. `entry` is the ledger's."""

    incident = models.ForeignKey(Incident, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    what = models.CharField(max_length=16)
    state = models.CharField(max_length=16)
    owner = models.BigIntegerField(null=True)
    actor = models.CharField(max_length=64)
    said = models.TextField(blank=True, db_default="")
    at = models.DateTimeField()
    entry = models.BigIntegerField()
    salt = models.BinaryField(max_length=32)

    personal: ClassVar = Personal(
        columns={},
        plain=("incident", "what", "state", "owner", "actor", "said", "at", "entry", "salt"),
        erase="keep",
        keep_because="What was done about a broken promise; a refused number is refused here too.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "incident", "id"], name="privacy_incidentstep_of")]
