"""What allauth asks of us: no public sign-up, links on our own address, sealed secrets of the second step."""

from __future__ import annotations

import base64
from functools import cache

import qrcode  # type: ignore[import-untyped]
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from qrcode.image.svg import SvgPathFillImage  # type: ignore[import-untyped]


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    """Sign-in by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        # Built on the configured address: a Host header sent by a stranger must not choose where a reset link leads.
        user, _, token = key.partition("-")
        return str(settings.SITE) + reverse("account_reset_password_from_key", kwargs={"uidb36": user, "key": token})

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:profile")


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps authenticator secrets and recovery codes sealed, so that a copy of the database opens no second step."""

    def build_totp_svg(self, url: str) -> str:
        # On white of its own: black on the ground of a dark scheme no camera reads.
        return str(qrcode.make(url, image_factory=SvgPathFillImage).to_string(encoding="unicode"))

    def encrypt(self, text: str) -> str:
        return _sealer().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _sealer().decrypt(encrypted_text.encode()).decode()


@cache
def _sealer() -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kept.accounts.mfa").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
