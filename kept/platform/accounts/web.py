"""Pages of one's own profile, of joining an account and of its members. Signing in itself is allauth's, see urls.py."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from kept.core.errors import BadInput, Conflict
from kept.platform.accounts import actions, queries
from kept.platform.accounts.door import TeamRequest, team
from kept.platform.accounts.forms import InviteForm, JoinForm, ProfileForm, RoleForm
from kept.platform.accounts.models import Invitation, Member, User
from kept.platform.accounts.roles import Role, may

PAGES: list[tuple[str, str]] = []
"""Pages of one's own settings that rooms have: what they are called, marked with gettext_noop, and the name of their address."""


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """After sign-in: into the one account, or a choice of several."""
    places = queries.memberships(cast(User, request.user))
    if len(places) == 1:
        return redirect(f"/{places[0].account.slug}/")
    return render(request, "accounts/home.html", {"places": places})


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """One's own name, and the ways to the password, the second step and the sessions."""
    user = cast(User, request.user)
    form = ProfileForm(request.POST or None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        actions.rename_user(user, form.cleaned_data["name"])
        messages.success(request, _("Your name is changed."))
        return redirect("accounts:profile")
    return render(
        request,
        "accounts/profile.html",
        {"form": form, "places": queries.memberships(user), "may": may, "pages": [(_(title), name) for title, name in PAGES]},
    )


@sensitive_post_parameters("password")
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: with a new password, or signed in as the one who was invited."""
    try:
        invitation = queries.invitation_by_token(token)
    except BadInput as error:
        return render(request, "accounts/join_closed.html", {"error": error}, status=error.status)
    user = queries.user_by_email(invitation.email)
    if user is not None and user.has_usable_password():
        return _join_signed_in(request, invitation, user)
    form = JoinForm(request.POST or None, email=invitation.email)
    if request.method == "POST" and form.is_valid():
        member = actions.accept_invitation(invitation, name=form.cleaned_data["name"], password=form.cleaned_data["password"])
        return cast(HttpResponse, perform_login(request, member.user, redirect_url=f"/{member.account.slug}/"))
    return render(request, "accounts/join.html", {"invitation": invitation, "form": form})


def _join_signed_in(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    if request.user.is_anonymous:
        return redirect_to_login(request.get_full_path())
    if request.user != user:
        return render(request, "accounts/join_other.html", {"invitation": invitation})
    if request.method == "POST":
        member = actions.accept_invitation(invitation)
        return redirect(f"/{member.account.slug}/")
    return render(request, "accounts/join.html", {"invitation": invitation, "form": None})


@team("members.manage")
def members(request: TeamRequest) -> HttpResponseBase:
    """Who is in the account and as what; inviting somebody."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.invite(request.account, form.cleaned_data["email"], Role(form.cleaned_data["role"]))
        except (BadInput, Conflict) as error:
            form.add_error("email", f"{error.message} {error.cure}")
        else:
            messages.success(request, _("An invitation is on its way to %(email)s.") % form.cleaned_data)
            return _to_members(request)
    context = {
        "form": form,
        "members": queries.members(request.account),
        "invitations": queries.invitations(request.account),
        "roles": Role.choices,
    }
    return render(request, "accounts/members.html", context)


@require_POST
@team("members.manage")
def change_role(request: TeamRequest, member_id: int) -> HttpResponseBase:
    """Give a member another role."""
    member = queries.member(request.account, member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise BadInput(_("There is no such role."), place="role", cure=_("Choose one of those offered."))
    role = Role(form.cleaned_data["role"])
    done = _("%(name)s is now: %(role)s.") % {"name": member.user, "role": role.label}
    return _change(request, member, partial(actions.change_role, member, role), done)


@require_POST
@team("members.manage")
def remove_member(request: TeamRequest, member_id: int) -> HttpResponseBase:
    """End a member's access."""
    member = queries.member(request.account, member_id)
    done = _("%(name)s no longer has access.") % {"name": member.user}
    return _change(request, member, partial(actions.remove_member, member), done)


@require_POST
@team("members.manage")
def withdraw_invitation(request: TeamRequest, invitation_id: int) -> HttpResponseBase:
    """Make an invitation worthless."""
    invitation = queries.invitation(request.account, invitation_id)
    actions.withdraw_invitation(invitation)
    messages.success(request, _("The invitation to %(email)s is withdrawn.") % {"email": invitation.email})
    return _to_members(request)


def _change(request: TeamRequest, member: Member, act: Callable[[], object], done: str) -> HttpResponse:
    """Do it and say so, or say why not. Whoever changed their own place goes to their accounts: the page may be closed to them now."""
    oneself = member == request.member
    try:
        act()
    except Conflict as error:
        messages.error(request, f"{error.message} {error.cure}")
        return _to_members(request)
    messages.success(request, done)
    return redirect("accounts:home") if oneself else _to_members(request)


def _to_members(request: TeamRequest) -> HttpResponse:
    return redirect("accounts:members", slug=request.account.slug)
