"""Who may sign in, the accounts they work for, and as what. Platform tables: they hold the team, never the people data is about."""

from __future__ import annotations

import re
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from kept.core.errors import BadInput
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.roles import Role

RESERVED_SLUGS = frozenset(
    {
        "admin",
        "api",
        "assets",
        "demo",
        "docs",
        "health",
        "help",
        "join",
        "kept",
        "notice",
        "outbox",
        "privacy",
        "settings",
        "sign-in",
        "sign-out",
        "sign-up",
        "static",
        "status",
        "support",
        "verify",
        "well-known",
        "www",
    }
)
"""First segments of addresses that are the product's own, now or by any likelihood."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def clean_slug(slug: str) -> str:
    """The slug, or `BadInput`: 3 to 40 lowercase letters, digits and inner hyphens, no reserved word."""
    if not _SLUG.fullmatch(slug):
        raise BadInput(
            _("“%(slug)s” cannot be an account's address.") % {"slug": slug},
            place="slug",
            cure=_("Use 3 to 40 lowercase letters, digits and hyphens, with a letter or digit at both ends."),
        )
    if slug in RESERVED_SLUGS:
        raise BadInput(_("“%(slug)s” is kept for the product itself.") % {"slug": slug}, place="slug", cure=_("Choose another."))
    return slug


def clean_region(region: str) -> str:
    """The region, or `BadInput`: an ISO 3166-1 country (``GB``), an ISO 3166-2 subdivision (``US-CA``) or ``EU``."""
    if not _REGION.fullmatch(region):
        raise BadInput(
            _("“%(region)s” is not a region.") % {"region": region},
            place="region",
            cure=_("Write an ISO 3166 code such as GB or US-CA, or EU."),
        )
    return region


def clean_email(email: str) -> str:
    """The address in lower case, the one form in which it is stored and compared, or `BadInput`."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadInput(
            _("“%(email)s” is not an email address.") % {"email": email}, place="email", cure=_("Write it as name@company.example.")
        ) from error
    return email


class UserManager(BaseUserManager["User"]):
    """Finds users by the address they sign in with."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """Somebody who signs in, by email address. Access to an account comes from `Member` alone."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_operator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.name or self.email


class Account(models.Model):
    """A company: a controller of its own data. `notice_version` is the id of its active notice, which an upper layer owns.

    `processor_id` is the account of the company that processes this one's data for it, where that company is on this deployment too.

    `promises_private`: how its promises stand is for the team alone.
    """

    slug = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    region = models.CharField(max_length=6)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    notice_version = models.BigIntegerField(null=True, blank=True)
    promises_private = models.BooleanField(default=False, db_default=False)
    processor_id = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """One user's place in one account."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "user"], name="accounts_member_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="accounts_member_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.account}"

    @property
    def actor(self) -> Actor:
        """The member as the ledger and the gate know them."""
        return Actor("member", self.pk, str(self.user))


class Invitation(models.Model):
    """An open invitation. Its row goes when it is accepted, withdrawn or sent anew, and its link dies with it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "email"], name="accounts_invitation_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="accounts_invitation_role"),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.account}"


class CacheEntry(models.Model):
    """The table of Django's database cache: attempts at sign-in are counted here, for all web processes together."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.cache_key
