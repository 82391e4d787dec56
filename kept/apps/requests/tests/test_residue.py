"""After an erasure with its residue stage, once the certificate is fetched, no byte of the person is left."""

from __future__ import annotations

import os
import sqlite3
import subprocess

import pytest
from django.conf import settings
from django.db import connections

from kept.apps.requests import actions, outbox, queries
from kept.apps.requests.models import State
from kept.apps.requests.tests.people import Known, asked, dana, requests_of, work
from kept.core.errors import Conflict
from kept.platform.accounts.models import Account
from kept.platform.privacy import residue
from kept.platform.privacy.testing import cast, with_notice
from tests.plugin import needs
from tests.stored import stored


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def found_in_files(values: tuple[str, ...]) -> list[str]:
    """Files under KEPT_DATA that hold one of the values, in any of the encodings that programs write."""
    needles = [value.encode(encoding) for value in values for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    needles += [value.lower().encode() for value in values]
    hits = []
    for path, content in stored().items():
        hits += [f"{path.relative_to(settings.DATA)}: {needle!r}" for needle in needles if needle in content]
    return hits


def lived(account: Account) -> Known:
    """A person who asked for everything there is to ask: a copy that was fetched, letters, a choice, then the end."""
    known = dana(account)
    browser, page = asked(account, known.email, "choices")
    browser.post(page + "choose/", {"purpose": "direct-marketing", "on": "1"})
    browser, page = asked(account, known.email, "access")
    work()
    assert browser.post(page + "package/").status_code == 200
    assert any("outbox" in hit for hit in found_in_files(known.values))
    browser, page = asked(account, known.email, "erase")
    work()
    browser.get(page)
    actions.clear_residue()
    work()
    assert browser.get(page + "certificate/").status_code == 200
    assert queries.by_reference(account.pk, requests_of(account)[-1].reference).state == State.DONE
    return known


@pytest.mark.sqlite
def test_no_file_holds_a_value_of_an_erased_person(account: Account) -> None:
    assert found_in_files(lived(account).values) == []


@pytest.mark.postgresql
def test_no_table_and_no_dump_holds_a_value_of_an_erased_person(account: Account) -> None:
    known = lived(account)
    assert found_in_files(known.values) == []
    dump = subprocess.run([needs("postgresql") / "pg_dump", os.environ["KEPT_OWNER_URL"]], capture_output=True, check=True).stdout
    assert b"contacts_person" in dump
    assert [value for value in known.values if value.lower().encode() in dump.lower()] == []
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
        tables = cursor.fetchall()
        for schema, table in tables:
            cursor.execute(f'SELECT count(*) FROM "{schema}"."{table}" t WHERE t::text ILIKE ANY (%s)', [[f"%{v}%" for v in known.values]])
            assert cursor.fetchone()[0] == 0, table
        cursor.execute("SELECT count(*) FROM pg_stats s WHERE s::text ILIKE ANY (%s)", [[f"%{v}%" for v in known.values]])
        assert cursor.fetchone()[0] == 0


@pytest.mark.sqlite
def test_residue_waits_while_a_reader_blocks(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residue, "PATIENCE_MS", 50)
    known = dana(account)
    browser, page = asked(account, known.email, "erase")
    work()
    reader = sqlite3.connect(settings.DATABASES["owner"]["NAME"])
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM contacts_person").fetchone()
    with pytest.raises(Conflict, match="reader"):
        actions.clear_residue()
    assert browser.get(page + "certificate/").json()["document"]["stage"] == "erased"
    reader.close()
    actions.clear_residue()
    assert browser.get(page + "certificate/").json()["document"]["stage"] == "residue cleared"
    assert found_in_files(known.values) == []


def test_a_letter_written_while_its_request_closes_goes_again(account: Account) -> None:
    known = dana(account)
    asked(account, known.email, "access")
    request = requests_of(account)[-1]
    actions.close(request)
    stray = outbox.folder() / "987654321.eml"
    stray.write_text(known.email)
    actions.sweep(request.received_at)
    assert not stray.exists()
    assert [hit for hit in found_in_files((known.email,)) if "outbox" in hit] == []
