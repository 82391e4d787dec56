"""What people ask of the account under their rights, and the letters that answer them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from kept.platform.data.personal import AccountModel, Personal


class Kind(models.TextChoices):
    """What is asked."""

    ACCESS = "access", _("a copy of everything held")
    ERASURE = "erasure", _("erasure of everything held")
    CHOICES = "choices", _("a change of choices")


class State(models.TextChoices):
    """How far it has come. `ready`: the answer can be fetched. From `done`, `nobody`, `refused` and `expired` on nothing more happens."""

    RECEIVED = "received", _("received")
    VERIFIED = "verified", _("verified")
    WORKING = "working", _("in progress")
    READY = "ready", _("answered")
    DONE = "done", _("done")
    NOBODY = "nobody", _("nothing held")
    REFUSED = "refused", _("refused")
    EXPIRED = "expired", _("never confirmed")


class Channel(models.TextChoices):
    """How it came in."""

    CENTRE = "centre", _("privacy centre")
    STAFF = "staff", _("taken in by the team")
    COMMAND = "command", _("command line")


class Request(AccountModel):
    """One request. It names its subject by reference only, and outlives them.

    `sealed` holds what is personal in it (contact address, the token of its page, a note), under the request's own key, as are its
    letters and its package; from `closed_at` on the key is gone. `link` and `page` are SHA-256 of random tokens: the mailed link,
    until it is used, and the page of the request. `entries` are its entries in
    the ledger, each with the state it brought. `outcome` holds counts only. `clock` is what decided `due_at`, with the versions of the
    notice and the laws it was read from: a `Deadline`.
    """

    reference = models.CharField(max_length=32)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    state = models.CharField(max_length=16, choices=State.choices)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    rule = models.CharField(max_length=128)
    region = models.CharField(max_length=8)
    subject_reference = models.CharField(max_length=32, blank=True, db_default="")
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    clock = models.JSONField()
    verified_at = models.DateTimeField(null=True)
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
            *("reference", "kind", "state", "channel", "rule", "region", "subject_reference", "received_at", "due_at", "clock"),
            *("verified_at", "answered_at", "closes_at", "closed_at", "link", "page", "key_id", "sealed", "outcome", "entries", "fetched"),
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
