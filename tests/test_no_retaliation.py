"""Nobody is treated worse for using a right: what people asked for and decided is read where rights are handled, and nowhere else.

There is no price and no plan in the product, and whatever may come to be one cannot ask whether somebody made a request: no module
outside the ones below sees the tables of requests or choices, and access to pages does not change with them.
"""

from __future__ import annotations

import ast
import re

import pytest

from kept.apps.contacts.models import Person
from kept.apps.requests.models import Kind
from kept.apps.requests.tests.changing import ask, workshop
from kept.apps.requests.tests.people import dana
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast, client_for, stranger
from kept.platform.privacy.gate import acting
from tests.test_reserved import sources

HANDLE = ("apps/requests/", "apps/notices/", "platform/privacy/")
"""Where rights are handled, promises proved and notices brought to people."""
SHOWS = {"apps/contacts/history.py": "shows the team what a person decided"}
"""The only others, each with its reason. None of them decides anything by it."""
TABLE = "kept.apps.requests.models"
SEES = re.compile(r"kept\.apps\.requests\.models(\..*)?|kept\.platform\.privacy\.models(\.(Choice|\*))?")
"""Names that see a table: whole modules, and the models themselves."""
RAW = re.compile(r"\b(?:requests_request|privacy_choice)\b")


def readers(trees: list[tuple[str, ast.Module]]) -> set[str]:
    """The modules that take a table of requests or choices by import, or name one in SQL."""
    found = set()
    for name, tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                taken = {one.name for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                taken = {f"{node.module}.{one.name}" for one in node.names}
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and RAW.search(node.value):
                taken = {TABLE}
            else:
                continue
            if any(SEES.fullmatch(one) for one in taken):
                found.add(name)
    return found


@pytest.mark.once
def test_nothing_that_serves_people_reads_their_requests_or_choices() -> None:
    outside = {name for name in readers(list(sources())) if not name.startswith(HANDLE)}
    assert outside == set(SHOWS)


@pytest.mark.once
@pytest.mark.parametrize(
    "line",
    [
        "from kept.apps.requests.models import Request",
        "from kept.apps.requests import models",
        "import kept.apps.requests.models",
        "from kept.platform.privacy.models import Provenance, Choice",
        "from kept.platform.privacy import models",
        'SQL = "SELECT 1 FROM requests_request"',
    ],
)
def test_a_reader_is_seen(line: str) -> None:
    assert readers([("apps/billing/actions.py", ast.parse(line))]) == {"apps/billing/actions.py"}


def test_no_page_of_anybody_changes_its_access_when_somebody_asks() -> None:
    team_side = cast()
    account, team, anybody = workshop(team_side.account), client_for(team_side.alice), stranger()
    known = dana(account)
    with acting(account.pk, "member:1", "customer-relations") as use:
        number = Person.under(use).get(subject_id=known.id).pk
    slug = account.slug
    pages = {f"/{slug}/people/": team, f"/{slug}/people/{number}/": team, f"/{slug}/privacy/": anybody, f"/{slug}/notice/": anybody}

    def reached() -> dict[str, tuple[int, tuple[str, ...]]]:
        """Status and rail of the team's pages, and of the public ones."""
        return {path: ((answer := browser.get(path)).status_code, rail(answer.content.decode())) for path, browser in pages.items()}

    before, fields = reached(), Account.objects.values().get(pk=account.pk)
    assert {status for status, _ in before.values()} == {200}
    for kind in (Kind.ACCESS, Kind.OPT_OUT_SALE, Kind.WITHDRAW):
        ask(account, kind, known.email)
    ask(account, Kind.OBJECT, known.email, ground="direct-marketing")
    assert reached() == before
    assert Account.objects.values().get(pk=account.pk) == fields


def rail(page: str) -> tuple[str, ...]:
    """Where a page's navigation leads."""
    found = re.search(r"<nav.*?</nav>", page, re.DOTALL)
    return tuple(sorted(set(re.findall(r'href="([^"#?]*)"', found.group() if found else ""))))
