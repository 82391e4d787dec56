from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from kept.apps.imports import jobs
from kept.apps.imports.models import Import
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import Cast, cast, client_for
from kept.platform.jobs.worker import run_due
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.testing import with_notice

FILE = (
    b"id,first name,email,ssn,card\n1,Dana,dana@quayside.example,078-05-1120,x\n2,Erin,nobody,078-05-1120,y\n3,Finn,4111 1111 1111 1111,,\n"
)
SAID = {"source": "The old book", "basis": "contract", "attest": "on"}


@pytest.fixture(scope="module")
def people() -> Cast:
    made = cast()
    with_notice(made.account)
    with_notice(made.other)
    return made


def post(client: Client, account: Account, data: bytes = FILE, **said: str) -> HttpResponse:
    file = SimpleUploadedFile("dana.csv", data, content_type="text/csv")
    answer: HttpResponse = client.post(f"/{account.slug}/imports/new/", {**SAID, **said, "file": file})  # type: ignore[assignment]
    return answer


def states(account: Account) -> list[str]:
    with bookkeeping(account.pk) as use:
        return list(Import.under(use).order_by("pk").values_list("state", flat=True))


def test_a_file_goes_from_upload_to_undone(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_temporary_file(*_: object, **__: object) -> None:
        raise AssertionError("an upload must not reach a temporary file")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", no_temporary_file)
    client = client_for(people.bob)
    assert "No imports yet" in client.get(f"/{people.account.slug}/imports/").content.decode()
    assert "We load such a file" in client.get(f"/{people.account.slug}/imports/new/").content.decode()
    answer = post(client, people.account)
    assert answer.status_code == 302
    here = answer.headers["Location"]
    page = client.get(here).content.decode()
    for said in (
        "Import 3 rows",
        "“ssn” was dropped",
        "limit:no-card-numbers",
        "dana@quayside.example",
        "This is a payment card number",
        "The old book",
    ):
        assert said in page
    assert "078-05-1120" not in page
    assert "4111" not in page

    page = client.post(
        f"{here}columns/", {"column-0": "email", "column-1": "email", "column-2": "", "column-3": ""}, follow=True
    ).content.decode()
    assert "No column" not in page
    page = client.post(
        f"{here}columns/", {"column-0": "", "column-1": "given_name", "column-2": "", "column-3": ""}, follow=True
    ).content.decode()
    assert "No column says who a person is" in page
    assert client.post(f"{here}commit/").status_code == 400
    answer_ = client.post(f"{here}columns/", {"column-0": "given_name", "column-1": "given_name"})
    assert answer_.status_code == 400
    assert "Two columns" in answer_.content.decode()
    client.post(f"{here}columns/", {"column-0": "source_id", "column-1": "given_name", "column-2": "email", "column-3": ""})

    assert client.post(f"{here}commit/").status_code == 302
    assert "Bringing people in" in client.get(here).content.decode()
    assert 'hx-trigger="every 2s"' in client.get(f"{here}progress/").content.decode()
    run_due(timezone.now(), jobs.commit_import)
    assert client.get(f"{here}progress/").headers["HX-Redirect"] == here
    page = client.get(here).content.decode()
    assert "Undo the import" in page
    rejects = client.get(f"{here}rejects/")
    assert b"".join(rejects.streaming_content).decode().splitlines()[1:] == [  # type: ignore[attr-defined]
        "3,cell,email,This is not an email address.",
        "4,cell,email,This is a payment card number. It was not stored.",
    ]
    assert client.post(f"{here}commit/").status_code == 409
    assert client.post(f"{here}undo/").status_code == 302
    assert "Taking people out again" in client.get(here).content.decode()
    run_due(timezone.now(), jobs.undo_import)
    assert "The import is undone" in client.get(here).content.decode()
    assert client.get(f"{here}rejects/").status_code == 404


def test_what_is_wrong_with_an_upload_is_said_beside_its_field_and_leaves_nothing(people: Cast) -> None:
    client, account = client_for(people.charlie), people.other
    said = [
        post(client, account, attest=""),
        post(client, account, source=""),
        post(client, account, basis="because"),
        post(client, account, b""),
        post(client, account, b'id\n"1\n'),
    ]
    assert [answer.status_code for answer in said] == [400] * 5
    for answer, words in zip(said, ("Without this statement", "where this data is from", "lawful basis", "file", "line 2"), strict=True):
        assert words in answer.content.decode()
    assert set(states(account)) <= {"discarded"}
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.charlie)
    assert post(strict, account).status_code == 403
    assert set(states(account)) <= {"discarded"}


def test_a_staged_file_can_be_forgotten(people: Cast) -> None:
    client = client_for(people.charlie)
    here = post(client, people.other).headers["Location"]
    assert client.post(f"{here}discard/").status_code == 302
    assert "The file is forgotten" in client.get(here).content.decode()


def test_who_may_not(people: Cast) -> None:
    assert client_for(people.rolf).get(f"/{people.account.slug}/imports/").status_code == 403
    assert client_for(people.charlie).get(f"/{people.account.slug}/imports/").status_code == 404
    here = post(client_for(people.alice), people.account).headers["Location"]
    foreign = here.replace(people.account.slug, people.other.slug)
    for verb in ("", "progress/", "rejects/"):
        assert client_for(people.charlie).get(f"{foreign}{verb}").status_code == 404
    for verb in ("columns/", "commit/", "discard/", "undo/"):
        assert client_for(people.charlie).post(f"{foreign}{verb}").status_code == 404


def test_no_file_name_is_kept(people: Cast) -> None:
    post(client_for(people.alice), people.account)
    with bookkeeping(people.account.pk) as use:
        assert "dana" not in str(list(Import.under(use).values()))
    assert not list(Path(tempfile.gettempdir()).glob("*.upload*"))
