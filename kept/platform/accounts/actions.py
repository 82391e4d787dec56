"""Changes of accounts and their members: each a verb, each one transaction."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from kept.core.errors import BadInput, Conflict
from kept.platform.accounts.models import Account, Invitation, Member, User, clean_email, clean_region, clean_slug
from kept.platform.accounts.queries import INVITATION_LIFETIME_SECONDS, invitation_token, user_by_email
from kept.platform.accounts.roles import Role


@transaction.atomic
def create_account(slug: str, name: str, region: str, owner_email: str) -> Account:
    """Open an account with its first owner, who is sent a link to set a password unless they have one.

    `region` is an ISO 3166 code or EU. Raises `BadInput`; `Conflict` when the slug is taken.
    """
    if not name.strip():
        raise BadInput(_("An account needs a name."), place="name", cure=_("Give the company's name."))
    owner = _user_at(owner_email)
    try:
        with transaction.atomic():
            account = Account.objects.create(slug=clean_slug(slug), name=name.strip(), region=clean_region(region))
    except IntegrityError:
        raise Conflict(_("There is an account “%(slug)s” already.") % {"slug": slug}, place="slug", cure=_("Choose another.")) from None
    add_member(account, owner, Role.OWNER)
    if not owner.has_usable_password():
        _send(Invitation.objects.create(account=account, email=owner.email, role=Role.OWNER))
    return account


@transaction.atomic
def create_user(email: str, name: str, *, password: str | None = None, is_operator: bool = False) -> User:
    """Make someone who can sign in; without a password, only once a mailed link has set one.

    Raises `BadInput` for the address, `Conflict` when it is taken.
    """
    user = User(email=clean_email(email), name=name.strip(), is_operator=is_operator)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Conflict(_("“%(email)s” signs in already.") % {"email": user.email}, place="email") from None
    # allauth writes only to addresses it calls verified; ours are, for a password is set through a mailed link or by an operator.
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@transaction.atomic
def add_member(account: Account, user: User, role: Role) -> Member:
    """Give a user a place in the account. Raises `Conflict` when they have one, `BadInput` for an operator."""
    if user.is_operator:
        raise BadInput(
            _("An operator cannot be a member of an account they host."), place=account.slug, cure=_("Use another address for team work.")
        )
    try:
        with transaction.atomic():
            return Member.objects.create(account=account, user=user, role=Role(role))
    except IntegrityError:
        raise Conflict(_("%(user)s is a member already.") % {"user": user}, place=account.slug) from None


@transaction.atomic
def change_role(member: Member, role: Role) -> Member:
    """Change what a member may do. Raises `Conflict` when this would leave the account without an owner."""
    if role != Role.OWNER:
        _keep_an_owner(member)
    member.role = Role(role)
    member.save(update_fields=["role"])
    return member


@transaction.atomic
def remove_member(member: Member) -> None:
    """End a member's access, at once and for every session. Raises `Conflict` for the last owner."""
    _keep_an_owner(member)
    member.delete()


@transaction.atomic
def invite(account: Account, email: str, role: Role) -> Invitation:
    """Mail a link that makes whoever reads this address a member. A second invitation takes the place of the first.

    Raises `BadInput` for the address, `Conflict` when a member of the account has it.
    """
    email = clean_email(email)
    if account.members.filter(user__email=email).exists():
        raise Conflict(_("“%(email)s” is a member already.") % {"email": email}, place="email", cure=_("Change their role instead."))
    account.invitations.filter(email=email).delete()
    invitation = Invitation.objects.create(account=account, email=email, role=Role(role))
    _send(invitation)
    return invitation


@transaction.atomic
def withdraw_invitation(invitation: Invitation) -> None:
    """Make the link of an invitation worthless."""
    invitation.delete()


@transaction.atomic
def accept_invitation(invitation: Invitation, *, name: str = "", password: str | None = None) -> Member:
    """Turn an invitation into membership.

    `name` and `password` count only for an address without a password yet. Raises `Conflict` when the invitation was
    used or withdrawn meanwhile.
    """
    if not Invitation.objects.filter(pk=invitation.pk).delete()[0]:
        raise Conflict(_("This invitation is no longer open."), place="link", cure=_("Ask an owner of the account to send you a new one."))
    user = _user_at(invitation.email)
    if password is not None and not user.has_usable_password():
        user.name = name.strip()
        user.set_password(password)
        user.save(update_fields=["name", "password"])
    if place := invitation.account.members.filter(user=user).first():
        return place
    return add_member(invitation.account, user, Role(invitation.role))


@transaction.atomic
def rename_user(user: User, name: str) -> User:
    """Change the name that colleagues see."""
    user.name = name.strip()
    user.save(update_fields=["name"])
    return user


def invitation_link(invitation: Invitation) -> str:
    """The address that accepts the invitation. Whoever has it can accept: it goes to the invited address only."""
    return settings.SITE + reverse("accounts:join", args=[invitation_token(invitation)])


def _user_at(email: str) -> User:
    return user_by_email(email) or create_user(email, "")


def _keep_an_owner(member: Member) -> None:
    # The lock makes two owners who demote each other at the same moment take turns.
    Account.objects.select_for_update().get(pk=member.account_id)
    owners = member.account.members.filter(role=Role.OWNER)
    if owners.filter(pk=member.pk).exists() and not owners.exclude(pk=member.pk).exists():
        raise Conflict(
            _("%(user)s is the last owner of this account.") % {"user": member.user},
            place=member.account.slug,
            cure=_("Make somebody else an owner first."),
        )


def _send(invitation: Invitation) -> None:
    """Mail the invitation once the transaction has committed."""
    context = {"invitation": invitation, "link": invitation_link(invitation), "days": INVITATION_LIFETIME_SECONDS // 86400}
    subject = _("Join %(account)s on Kept") % {"account": invitation.account}
    body = render_to_string("accounts/mail/invitation.txt", context)
    transaction.on_commit(lambda: send_mail(subject, body, None, [invitation.email]) and None)
