"""What people ask of the account under their rights, and the letters that answer them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from kept.platform.data.personal import AccountModel, Personal


class Kind(models.TextChoices):
    """What is asked: a right, in the notice's words, or one of the two that go with one."""

    KNOW = "know", _("what is held, and why")
    ACCESS = "access", _("a copy of everything held")
    PORTABILITY = "portability", _("their data in a form to take elsewhere")
    CORRECT = "correct", _("putting right or completing what is held")
    ERASE = "erase", _("erasure of everything held")
    RESTRICT = "restrict", _("restriction to storing")
    OBJECT = "object", _("an objection")
    WITHDRAW = "withdraw", _("withdrawal of consent")
    OPT_OUT_SALE = "opt-out-sale", _("no sale or sharing of their data")
    OPT_IN_SALE = "opt-in-sale", _("sale and sharing allowed again")
    LIMIT_SENSITIVE = "limit-sensitive", _("limits to the use of sensitive data")
    MARKETING_DISCLOSURES = "direct-marketing-disclosures", _("who had their data for direct marketing")
    COMPLAIN = "complain", _("a complaint")
    QUESTION = "question", _("a question")
    CHOICES = "choices", _("a change of choices")


class State(models.TextChoices):
    """How far it has come; `lifecycle` says what may follow what. `ready`: the answer can be fetched. `hidden`: erased on a coming day,
    until which it can be taken back.
    """

    RECEIVED = "received", _("received")
    VERIFIED = "verified", _("verified")
    DECIDING = "deciding", _("to be decided")
    WORKING = "working", _("in progress")
    HIDDEN = "hidden", _("hidden, erased soon")
    READY = "ready", _("answered")
    DONE = "done", _("done")
    NOBODY = "nobody", _("nothing held")
    REFUSED = "refused", _("refused")
    REFERRED = "referred", _("passed on")
    REVOKED = "revoked", _("taken back")
    EXPIRED = "expired", _("never confirmed")


class Channel(models.TextChoices):
    """How it came in: in the notice's words for what it offers, and in ours for the rest."""

    WEB = "web", _("privacy centre")
    SETTINGS = "settings", _("settings, signed in")
    EMAIL = "email", _("email")
    PHONE = "phone", _("telephone")
    POST = "post", _("letter")
    PERSON = "in-person", _("in person")
    API = "api", _("interface for programs")
    FORWARDED = "forwarded", _("passed on by our processor")
    COMMAND = "command", _("command line")


class Request(AccountModel):
    """One request. It names its subject by reference only, and outlives them.

    `sealed` holds what is personal in it (`private.Private`), under the request's own key, as are its letters, messages, attachments
    and its package; from `closed_at` on the key is gone. `link` and `page` are SHA-256 of random tokens: the mailed link, until it is
    used, and the page of the request. `proof` is how the person proved to be themselves so far, `tries` how often facts did not match.
    `data` is whose it is about: our own, or our customers'. `assigned` is the member who works on it. `decision` is what the team
    decided, without a word that is personal: `ground`, `exceptions` and `withheld` by category, who proposed it, who agreed.
    `entries` are its entries in the ledger, each with the state it brought. `outcome` holds counts only. `clock` is what decided
    `due_at`, with the versions of the notice and the laws it was read from: a `Deadline`; it stands still from `paused_at` on.
    `effective_at` is when a hidden person is erased. `agent_id` is who acts for the person.
    """

    reference = models.CharField(max_length=32)
    kind = models.CharField(max_length=32, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    data = models.CharField(max_length=16, db_default="own")
    rule = models.CharField(max_length=128)
    region = models.CharField(max_length=8)
    subject_reference = models.CharField(max_length=32, blank=True, db_default="")
    agent_id = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    clock = models.JSONField()
    paused_at = models.DateTimeField(null=True)
    paused_why = models.CharField(max_length=32, blank=True, db_default="")
    confirmed_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    proof = models.CharField(max_length=16, blank=True, db_default="")
    tries = models.IntegerField(db_default=0)
    assigned = models.CharField(max_length=64, blank=True, db_default="")
    decision = models.JSONField()
    effective_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    link = models.CharField(max_length=64, blank=True, db_default="")
    page = models.CharField(max_length=64, blank=True, db_default="")
    key_id = models.BigIntegerField(null=True)
    sealed = models.BinaryField(null=True)
    outcome = models.JSONField()
    entries = models.JSONField()
    fetched = models.IntegerField(db_default=0)

    personal: ClassVar = Personal(
        columns={},
        plain=(
            *("reference", "kind", "state", "channel", "data", "rule", "region", "subject_reference", "agent_id", "received_at", "due_at"),
            *("clock", "paused_at", "paused_why", "confirmed_at", "verified_at", "proof", "tries", "assigned", "decision", "effective_at"),
            *("answered_at", "closes_at", "closed_at", "link", "page", "key_id", "sealed", "outcome", "entries", "fetched"),
        ),
        erase="keep",
        keep_because="It names nobody once its key is destroyed, and shows that the account answered.",
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "reference"], name="requests_request_reference")]
        indexes = [
            models.Index(fields=["account_id", "due_at", "id"], name="requests_request_clock"),
            models.Index(fields=["account_id", "link"], name="requests_request_link", condition=~models.Q(link="")),
            models.Index(fields=["account_id", "page"], name="requests_request_page", condition=~models.Q(page="")),
            models.Index(
                fields=["account_id", "subject_reference"], name="requests_request_subject", condition=~models.Q(subject_reference="")
            ),
            models.Index(fields=["account_id", "closes_at"], name="requests_request_closing", condition=models.Q(closed_at__isnull=True)),
        ]


class OutboxMessage(AccountModel):
    """A letter to a person, sealed under the key of its request. When the request is closed, that it was sent is all that stays."""

    request = models.CharField(max_length=32)
    letter = models.CharField(max_length=16)
    key_id = models.BigIntegerField()
    sealed = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("request", "letter", "key_id", "sealed", "created_at", "sent_at"),
        erase="keep",
        keep_because="It is emptied when its request is closed, and noise once the request's key is destroyed.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "request"], name="requests_outbox_request")]


class Message(AccountModel):
    """What a person wrote about their request, sealed under its key; what the team writes goes out as a letter."""

    request = models.CharField(max_length=32)
    key_id = models.BigIntegerField()
    sealed = models.BinaryField(null=True)
    at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={},
        plain=("request", "key_id", "sealed", "at"),
        erase="keep",
        keep_because="It is emptied when its request is closed, and noise once the request's key is destroyed.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "request"], name="requests_message_request")]


class Attachment(AccountModel):
    """A file that came with a request: a letter, a proof, a power of attorney. Its name and its bytes are sealed under the request's key,
    the bytes in a file of their own. `what` is what it is for (``evidence``, ``identity``, ``power-of-attorney``, ``permission``).
    """

    request = models.CharField(max_length=32)
    what = models.CharField(max_length=24)
    media_type = models.CharField(max_length=64)
    size = models.BigIntegerField()
    key_id = models.BigIntegerField()
    name = models.BinaryField(null=True)
    at = models.DateTimeField()

    personal: ClassVar = Personal(
        columns={},
        plain=("request", "what", "media_type", "size", "key_id", "name", "at"),
        erase="keep",
        keep_because="It is emptied when its request is closed, and noise once the request's key is destroyed.",
    )

    class Meta(AccountModel.Meta):
        indexes = [models.Index(fields=["account_id", "request"], name="requests_attachment_request")]


class Agent(AccountModel):
    """Who may act for people by the Data Rights Protocol: an authorised agent, by the id and the key that it publishes.

    `verify_key` is its Ed25519 public key, base64; `token` the SHA-256 of the bearer token it was given when it was paired.
    """

    identifier = models.CharField(max_length=128)
    name = models.TextField()
    verify_key = models.CharField(max_length=64)
    token = models.CharField(max_length=64, blank=True, db_default="")
    paired_at = models.DateTimeField(null=True)
    added_by = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("identifier", "name", "verify_key", "token", "paired_at", "added_by", "added_at", "ended_at"),
        erase="keep",
        keep_because="An organisation, not a person.",
    )

    class Meta(AccountModel.Meta):
        constraints = [models.UniqueConstraint(fields=["account_id", "identifier"], name="requests_agent_identifier")]


class Correspondent(AccountModel):
    """How a recipient of the notice hears what people asked for: the address it is told at, and the keys on both sides.

    `recipient` is the rule's (``disclose:…``). `verify_key` is its Ed25519 public key, base64, by which its confirmations are known.
    """

    recipient = models.CharField(max_length=128)
    address = models.TextField()
    verify_key = models.CharField(max_length=64, blank=True, db_default="")
    confirms_within = models.CharField(max_length=32)
    added_by = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("recipient", "address", "verify_key", "confirms_within", "added_by", "added_at", "ended_at"),
        erase="keep",
        keep_because="An organisation, not a person.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "recipient"], condition=models.Q(ended_at=None), name="requests_correspondent_one"
            )
        ]


class Telling(AccountModel):
    """That one recipient was told of one request: what of, by when it confirms, whether it has. The identities it was told are sealed
    under the request's key until it confirmed.
    """

    request = models.CharField(max_length=32)
    recipient = models.CharField(max_length=128)
    what = models.CharField(max_length=16)
    key_id = models.BigIntegerField(null=True)
    sealed = models.BinaryField(null=True)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=16, blank=True, db_default="")
    tries = models.IntegerField(db_default=0)
    failed = models.TextField(blank=True, db_default="")

    personal: ClassVar = Personal(
        columns={},
        plain=(
            "request",
            "recipient",
            "what",
            "key_id",
            "sealed",
            "made_at",
            "sent_at",
            "due_at",
            "confirmed_at",
            "how",
            "tries",
            "failed",
        ),
        erase="keep",
        keep_because="It names nobody once the request's key is destroyed, and shows that recipients were told.",
    )

    class Meta(AccountModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["account_id", "request", "recipient", "what"], name="requests_telling_one"),
        ]
        indexes = [
            models.Index(fields=["account_id", "due_at"], condition=models.Q(confirmed_at=None), name="requests_telling_waiting"),
        ]


class Batch(AccountModel):
    """What a member did with many requests at once: which act (``assign``, ``start``, ``grant``), to whom they were assigned, and how it
    ended for each: `requests` are references, `skipped` says by reference why nothing was done.
    """

    act = models.CharField(max_length=16)
    member = models.CharField(max_length=64, blank=True, db_default="")
    requests = models.JSONField()
    skipped = models.JSONField()
    position = models.IntegerField(db_default=0)
    made_by = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    personal: ClassVar = Personal(
        columns={},
        plain=("act", "member", "requests", "skipped", "position", "made_by", "made_at", "finished_at"),
        erase="keep",
        keep_because="It names requests by reference, and nobody.",
    )
