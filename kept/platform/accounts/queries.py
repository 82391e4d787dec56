"""Questions about accounts and their members."""

from __future__ import annotations

from collections.abc import Sequence

from allauth.account.models import EmailAddress
from django.core import signing
from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from kept.core.errors import BadInput, NotFound
from kept.platform.accounts.models import Account, Invitation, Member, User
from kept.platform.accounts.roles import Role

INVITATION_SALT = "kept.accounts.invitation"
INVITATION_LIFETIME_SECONDS = 7 * 24 * 3600


def account_by_slug(slug: str) -> Account:
    """The open account at this address, or `NotFound`."""
    try:
        return Account.objects.get(slug=slug, closed_at=None)
    except Account.DoesNotExist:
        raise NotFound(_("There is no account “%(slug)s”.") % {"slug": slug}, place=slug) from None


def membership(user: User, slug: str) -> Member:
    """The user's place in the account, or the same `NotFound` that an account which does not exist gives.

    An operator has none: who hosts an account does not see its records.
    """
    found = Member.objects.select_related("account", "user").filter(
        user=user, user__is_operator=False, user__is_active=True, account__slug=slug, account__closed_at=None
    )
    try:
        return found.get()
    except Member.DoesNotExist:
        raise NotFound(_("There is no account “%(slug)s”.") % {"slug": slug}, place=slug) from None


def memberships(user: User) -> Sequence[Member]:
    """The user's places in open accounts, by the accounts' names."""
    return list(
        Member.objects.select_related("account", "user")
        .filter(user=user, user__is_operator=False, account__closed_at=None)
        .order_by(Lower("account__name"), "account__slug")
    )


def members(account: Account) -> Sequence[Member]:
    """Everyone in the account: owners first, then by name."""
    rank = Case(*(When(role=role, then=Value(index)) for index, role in enumerate(Role)), output_field=IntegerField())
    return list(account.members.select_related("account", "user").order_by(rank, Lower("user__name"), "user__email"))


def member(account: Account, member_id: int) -> Member:
    """One member of this account, or `NotFound`."""
    try:
        return account.members.select_related("account", "user").get(pk=member_id)
    except Member.DoesNotExist:
        raise NotFound(_("There is no such member."), place=account.slug) from None


def invitations(account: Account) -> Sequence[Invitation]:
    """The open invitations, oldest first. One whose link has expired stays until withdrawn or sent anew."""
    return list(account.invitations.order_by("created_at", "pk"))


def invitation(account: Account, invitation_id: int) -> Invitation:
    """One open invitation of this account, or `NotFound`."""
    try:
        return account.invitations.get(pk=invitation_id)
    except Invitation.DoesNotExist:
        raise NotFound(_("There is no such invitation."), place=account.slug) from None


def invitation_token(invitation: Invitation) -> str:
    """The signed, expiring token that stands in an invitation's link."""
    return signing.dumps(invitation.pk, salt=INVITATION_SALT)


def invitation_by_token(token: str) -> Invitation:
    """The open invitation of a link, or `BadInput`: forged, expired, withdrawn and used links all read the same."""
    refusal = BadInput(_("This invitation is no longer open."), place="link", cure=_("Ask an owner of the account to send you a new one."))
    try:
        invitation_id = signing.loads(token, salt=INVITATION_SALT, max_age=INVITATION_LIFETIME_SECONDS)
        return Invitation.objects.select_related("account").get(pk=invitation_id, account__closed_at=None)
    except (signing.BadSignature, Invitation.DoesNotExist):
        raise refusal from None


def user_by_email(email: str) -> User | None:
    """Who signs in with this address."""
    return User.objects.filter(email=email.strip().lower()).first()


def proved_address(user: User) -> str:
    """The address with which a user signs in, once it is proved to be theirs; else empty."""
    proved = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()
    return user.email if proved else ""
