"""The deployment's settings. Everything an operator may set is an environment variable, read here and nowhere else.

docs/howto/configure.md documents each one; a test compares the two.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url

from kept.core.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kept"
DATA = Path(os.environ.get("KEPT_DATA", "data")).resolve()
DEMO = os.environ.get("KEPT_DEMO") == "1"
PRIVATE_ADDRESSES = os.environ.get("KEPT_PRIVATE_ADDRESSES") == "1"
DEBUG = os.environ.get("KEPT_DEBUG") == "1"
SITE = os.environ.get("KEPT_SITE", "http://127.0.0.1:8000").rstrip("/")


def _secret(name: str) -> str:
    """A secret of this deployment: made once, in a file only its owner reads."""
    path = DATA / name
    if not path.exists():
        DATA.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


SECRET_KEY = os.environ.get("KEPT_SECRET_KEY") or _secret("secret.key")
MASTER_KEY = os.environ.get("KEPT_MASTER_KEY", "")
FORMER_MASTER_KEY = os.environ.get("KEPT_FORMER_MASTER_KEY", "")
INDEX_KEY = os.environ.get("KEPT_INDEX_KEY", "")
FAULT = os.environ.get("KEPT_FAULT", "")
SMTP_URL = os.environ.get("KEPT_SMTP_URL", "")
ALLOWED_HOSTS = os.environ.get("KEPT_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [SITE] if SITE.startswith("https://") else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_tasks",
    "kept.platform.data",
    "kept.platform.accounts",
    "kept.platform.jobs",
    "kept.platform.privacy",
    "kept.platform.ui",
    "kept.apps.contacts",
    "kept.apps.imports",
    "kept.apps.requests",
    "kept.apps.notices",
]

_EMBEDDED = f"sqlite:///{DATA / 'kept.sqlite3'}"
_LOGIN = os.environ.get("KEPT_DATABASE_URL", _EMBEDDED)
_SQLITE = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON; PRAGMA recursive_triggers=ON;",
}


def _database(url: str, *, guarded: bool = False) -> dict[str, Any]:
    """One database connection. The guarded one is armed before each statement."""
    found: dict[str, Any] = {**dj_database_url.parse(url)}
    kind = str(found["ENGINE"]).rpartition(".")[2]
    if kind not in ("sqlite3", "postgresql"):
        raise BadInput(
            f"The database address names {kind or 'nothing'}.", place="KEPT_DATABASE_URL", cure="Use sqlite:/// or postgresql://."
        )
    found["OPTIONS"] = dict(_SQLITE) if kind == "sqlite3" else {"server_side_binding": True}
    if guarded:
        found["ENGINE"] = f"kept.platform.data.engine.{kind.removesuffix('3')}"
        found["CONN_MAX_AGE"] = None
    return found


DATABASES = {
    "default": _database(_LOGIN, guarded=True),
    "owner": _database(os.environ.get("KEPT_OWNER_URL", _LOGIN)),
    "keys": _database(os.environ.get("KEPT_KEYS_URL", f"sqlite:///{DATA / 'keys.sqlite3'}")),
}
TASKS = {"default": {"BACKEND": "kept.platform.jobs.backend.JobBackend"}}
DATABASE_ROUTERS = ["kept.platform.data.router.OnlyTheOwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGES = [("en-gb", "English (UK)"), ("en", "English")]
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
ROOT_URLCONF = "kept.project.urls"

# Our own pages first; Django's engine serves what third-party apps bring.
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": sorted(PACKAGE.glob("*/*/templates")),
        "OPTIONS": {"environment": "kept.platform.ui.jinja.environment"},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

MIDDLEWARE = [
    "kept.platform.ui.middleware.headers",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "kept.platform.ui.middleware.toasts",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kept.platform.ui.middleware.Errors",
]
CSRF_FAILURE_VIEW = "kept.platform.ui.errors.csrf_failed"

# Mail to members of a team: invitations, new passwords. Letters to people go through the outbox of the requests room.
_SMTP = urlsplit(SMTP_URL)
if SMTP_URL:
    EMAIL_HOST, EMAIL_PORT = _SMTP.hostname or "localhost", _SMTP.port or (465 if _SMTP.scheme == "smtps" else 587)
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_SMTP.username or ""), unquote(_SMTP.password or "")
    EMAIL_USE_SSL = _SMTP.scheme == "smtps"
    EMAIL_USE_TLS = bool(_SMTP.username) and not EMAIL_USE_SSL  # a password never goes over an open line
    EMAIL_TIMEOUT = 30
else:
    EMAIL_BACKEND, EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", DATA / "team-mail"
DEFAULT_FROM_EMAIL = f"kept@{urlsplit(SITE).hostname or 'localhost'}"

# Sign-in: by email address and password, with a second step; by invitation only.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ["email", "name"]}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600  # seconds
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts:home"
ACCOUNT_ADAPTER = "kept.platform.accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is proved by the invitation mailed to it
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "kept.platform.accounts.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Kept"
MFA_TOTP_TOLERANCE = 1  # one step of 30 seconds, for clocks that drift

# Attempts are counted in the cache, which all web processes must share.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "accounts_cacheentry"}}

ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("KEPT_PROXIES", "0"))

TLS = SITE.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
