"""Addresses of signing in, of one's own settings and of an account's members.

Only the pages of allauth that we serve are named here, rather than all of them: what has no address cannot be reached.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.usersessions import views as sessions
from django.urls import URLPattern, URLResolver, include, path, re_path

from kept.platform.accounts import web

_own = (
    [
        path("", web.home, name="home"),
        path("join/<str:token>/", web.join, name="join"),
        path("settings/", web.profile, name="profile"),
        path("<slug:slug>/settings/members/", web.members, name="members"),
        path("<slug:slug>/settings/members/<int:member_id>/role/", web.change_role, name="change-role"),
        path("<slug:slug>/settings/members/<int:member_id>/remove/", web.remove_member, name="remove-member"),
        path("<slug:slug>/settings/invitations/<int:invitation_id>/withdraw/", web.withdraw_invitation, name="withdraw-invitation"),
    ],
    "accounts",
)

_sign_in: list[URLPattern | URLResolver] = [
    path("", account.login, name="account_login"),
    path("code/", mfa.authenticate, name="mfa_authenticate"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("again/", account.reauthenticate, name="account_reauthenticate"),
    path("again/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("password/", account.password_reset, name="account_reset_password"),
    path("password/sent/", account.password_reset_done, name="account_reset_password_done"),
    re_path(r"^password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", account.password_reset_from_key, name="account_reset_password_from_key"),
    path("password/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
]

_settings: list[URLPattern | URLResolver] = [
    path("password/", account.password_change, name="account_change_password"),
    path("second-step/", mfa.index, name="mfa_index"),
    path("second-step/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("second-step/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-step/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("second-step/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("sessions/", sessions.list_usersessions, name="usersessions_list"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", include(_sign_in)),
    path("sign-out/", account.logout, name="account_logout"),
    path("settings/", include(_settings)),
    path("", include(_own)),
]
