"""A backup older than an erasure brings nobody back; a restore is whole or not at all.

Each person has a word that stands in all their values and nowhere else, so that one search finds whatever is left of them.
"""

from __future__ import annotations

import csv
import secrets
import shutil
import signal
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from kept.core.errors import BadInput
from kept.platform.accounts.testing import cast
from kept.platform.privacy.backup import archive, content
from tests.backing_steps import request_of
from tests.deployments import Deployment, deployment
from tests.plugin import ROOT

STEPS = ["journalled", "deleting", "deleted", "noted", "shredded", "key", "stores", "files", "drafted", "certified"]
RESTORING = ["keys", "migrated", "filled", "rows", "files", "rewritten", "replayed"]


@dataclass(frozen=True)
class Company:
    """A deployment with one account; its people by their words."""

    here: Deployment
    words: tuple[str, ...]

    def erase(self, words: tuple[str, ...]) -> None:
        """Erase people, residue included."""
        self.here.step("erase to the end", "larch", *map(email, words))

    def backup(self, path: Path) -> Any:
        return self.here.kept("backup", path)


def email(word: str) -> str:
    return f"dana.{word}@quayside.example"


def company(folder: Path, people: int) -> Company:
    """One account, and people who came in a file."""
    here = deployment(folder)
    words = tuple(f"q{secrets.token_hex(5)}" for _ in range(people))
    file = folder.with_suffix(".csv")
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("Customer no", "Given name", "Family name", "Email", "Street", "City", "Postcode", "Country"))
        writer.writerows((f"B-{word}", "Dana", f"Marsh{word}", email(word), f"1 {word} Row", "Bath", "BA1 1XX", "GB") for word in words)
    assert here.step("found", "larch", file) == people
    return Company(here, words)


def restored(path: Path, into: Path, source: Deployment, *arguments: object, code: int = 0) -> tuple[Deployment, Any]:
    """A new deployment that has the secrets and the journal of the first, and what the restore said."""
    there = deployment(into, secrets_of=source, journal_of=source)
    return there, there.kept("restore", path, *arguments, code=code)


def look(there: Deployment, words: tuple[str, ...]) -> Any:
    return there.step("look", "larch", *map(email, words))


def assert_erased(there: Deployment, words: tuple[str, ...]) -> None:
    """Nobody of them is there; each is suppressed and certified to the end; the ledger verifies."""
    seen = look(there, words)
    assert (seen["here"], seen["open"], seen["faults"], seen["valid"]) == ([], [], [], True)
    assert seen["suppressed"] == [*map(email, words)]
    assert {seen["stages"].get(request_of(email(word))) for word in words} == {"residue cleared"}
    assert there.found(words) == set()


def test_a_hundred_who_were_erased_do_not_come_back(tmp_path: Path) -> None:
    larch, backup = company(tmp_path / "here", 120), tmp_path / "monday"
    gone, stay = larch.words[:100], larch.words[100:]
    larch.here.kept("choose", "larch", "direct-marketing", "--email", email(stay[0]), "--allow")
    made = larch.backup(backup)
    assert (made["tables"]["contacts_person"], made["left_out"]) == (120, 0)
    before = tmp_path / "journal as it was"
    shutil.copytree(larch.here.data / "journal", before)
    rows = larch.here.step("digests", "larch")
    assert larch.here.found(larch.words) == set(larch.words)
    sealed = backup.read_bytes() + backup.with_name("monday.keys").read_bytes()
    assert [word for word in (*larch.words, "alice@larch", "Quayside") if word.encode() in sealed] == []

    larch.erase(gone)
    assert_erased(larch.here, gone)
    there, said = restored(backup, tmp_path / "there", larch.here)
    assert_erased(there, gone)
    assert {row["request"] for row in said["replayed"]} == {request_of(email(word)) for word in gone}
    assert all(row["done"] and row["account"] == "larch" for row in said["replayed"])
    assert (said["ledgers"], said["destroyed"], said["lacking"], said["unexplained"]) == ({"larch": []}, 100, 100, 0)
    assert there.found(stay) == set(stay)
    assert look(there, stay)["people"] == [20, 20]
    _goes_on(there, stay)

    # The control: had the journal ended where it stood at the backup, every row would be there. So nothing but the replay keeps them out.
    other = deployment(tmp_path / "other", secrets_of=larch.here)
    shutil.copytree(before, other.data / "journal")
    assert other.kept("restore", backup)["replayed"] == []
    assert other.found(gone) == set(gone)
    assert other.step("digests", "larch") == rows


def _goes_on(there: Deployment, stay: tuple[str, ...]) -> None:
    """Guard, masks and sequences are whole: it serves, withholds as before, and takes people in."""
    findings = {row["what"]: row for row in there.kept("doctor")}
    assert all(row["well"] for row in findings.values()), findings
    question = ("sql", "larch", "--purpose", "direct-marketing", "SELECT family_name FROM contacts_person")
    assert there.kept(*question) == [{"family_name": f"Marsh{stay[0]}"}]
    there.kept("choose", "larch", "direct-marketing", "--email", email(stay[0]), "--object")
    assert there.kept(*question) == []
    people = ROOT / "notices/larch/people.csv"
    assert there.kept("import", "larch", people, "--source", "the order book", "--basis", "contract", "--yes")["created"] == 40
    assert there.kept("sql", "larch", "--purpose", "customer-relations", "SELECT count(*) AS n FROM contacts_person") == [{"n": 60}]


def test_a_backup_in_the_middle_of_erasures(tmp_path: Path) -> None:
    """One person stands at each step when the backup is made; afterwards they are all erased to the end."""
    larch, backup = company(tmp_path / "here", len(STEPS) + 1), tmp_path / "tuesday"
    gone, stays = larch.words[:-1], larch.words[-1]
    for step, word in zip(STEPS, gone, strict=True):
        done = larch.here.run("tests.backing_steps", "erase", "larch", email(word), fault=f"erasure:{step}")
        assert done.returncode == -signal.SIGKILL, done.stderr
    at_backup = look(larch.here, gone)
    assert (len(at_backup["open"]), at_backup["here"]) == (len(STEPS), [email(word) for word in gone[:2]])
    larch.backup(backup)
    larch.here.step("finish", "larch")
    there, said = restored(backup, tmp_path / "there", larch.here)
    assert_erased(there, gone)
    assert {row["request"] for row in said["replayed"]} == {request_of(email(word)) for word in gone}
    assert (there.found([stays]), look(there, larch.words)["people"]) == ({stays}, [1, 1])

    # Nor do they when the deployment died before it could finish any of them: then the journal has them open.
    journal = tmp_path / "journal as it was"
    shutil.copytree(larch.here.data / "journal", journal)
    lines = (journal / "erasures.jsonl").read_bytes().splitlines(keepends=True)
    (journal / "erasures.jsonl").write_bytes(b"".join(line for line in lines if b'"done"' not in line))
    other = deployment(tmp_path / "other", secrets_of=larch.here)
    shutil.copytree(journal, other.data / "journal")
    assert len(other.kept("restore", backup)["replayed"]) == len(STEPS)
    assert_erased(other, gone)


def test_newer_keys_open_an_older_backup_but_for_the_erased(tmp_path: Path) -> None:
    larch = company(tmp_path / "here", 5)
    gone, stay = larch.words[:2], larch.words[2:]
    larch.backup(tmp_path / "old")
    larch.erase(gone)
    larch.backup(tmp_path / "new")
    there, said = restored(tmp_path / "old", tmp_path / "there", larch.here, "--keys", tmp_path / "new.keys")
    assert (said["lacking"], said["unexplained"], said["destroyed"]) == (2, 0, 0)
    assert_erased(there, gone)
    assert there.found(stay) == set(stay)
    refused = restored(tmp_path / "new", tmp_path / "other", larch.here, "--keys", tmp_path / "old.keys", code=2)[1]
    assert "older than this backup" in refused["message"]


def test_who_is_erased_in_part_comes_back_in_part_and_once_released_not_at_all(tmp_path: Path) -> None:
    larch = company(tmp_path / "here", 2)
    word = larch.words[0]
    name, address, request = f"Marsh{word}", email(word), request_of(email(word))
    larch.backup(tmp_path / "before")
    larch.here.step("hold", "larch", address)
    larch.erase((word,))
    assert larch.here.found([name, address]) == {name}
    larch.backup(tmp_path / "between")
    for backup in ("before", "between"):
        there, said = restored(tmp_path / backup, tmp_path / f"held {backup}", larch.here)
        assert [(row["request"], row["done"]) for row in said["replayed"]] == [(request, False)]
        assert there.found([name, address]) == {name}
        assert (look(there, (word,))["open"], said["destroyed"]) == ([request], 0)
    larch.here.step("release", "larch")
    assert_erased(larch.here, (word,))
    for backup in ("before", "between"):
        there, said = restored(tmp_path / backup, tmp_path / f"released {backup}", larch.here)
        assert [(row["request"], row["done"]) for row in said["replayed"]] == [(request, True)]
        assert_erased(there, (word,))


@pytest.fixture(scope="module")
def backed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Path]:
    """A company with a backup from before one of its people was erased, a sealed file and a letter."""
    folder = tmp_path_factory.mktemp("backed")
    larch, backup = company(folder / "here", 3), folder / "friday"
    for name in ("packages/one.sealed", "outbox/1.eml"):
        (larch.here.data / name).parent.mkdir(exist_ok=True)
        (larch.here.data / name).write_bytes(b"of Dana")
    larch.backup(backup)
    larch.erase(larch.words[:1])
    return larch, backup


def refused(there: Deployment, backup: Path, *arguments: object, code: int = 2) -> str:
    """What a restore says that changes nothing."""
    said = there.kept("restore", backup, *arguments, code=code)
    assert not (there.data / "restore.unfinished").exists()
    return str(said["message"])


def test_sealed_files_come_back_and_letters_do_not(backed: tuple[Company, Path], tmp_path: Path) -> None:
    larch, backup = backed
    there, said = restored(backup, tmp_path / "there", larch.here)
    assert (said["files"], (there.data / "packages/one.sealed").read_bytes()) == (1, b"of Dana")
    assert not (there.data / "outbox").exists()


def test_a_restore_needs_the_journal(backed: tuple[Company, Path], tmp_path: Path) -> None:
    larch, backup = backed
    there = deployment(tmp_path / "there", secrets_of=larch.here)
    assert "no erasure journal" in refused(there, backup)
    larch.backup(tmp_path / "later")
    there.journal().parent.mkdir()
    there.journal().touch()
    assert "older than this backup, which knows of 1 erasures" in refused(there, tmp_path / "later")
    there.journal().write_bytes(larch.here.journal().read_bytes().replace(b"right:", b"Right:"))
    assert "older than this backup" in refused(there, tmp_path / "later")
    shutil.copy(larch.here.journal(), there.journal())
    before = there.journal().read_bytes()
    assert there.kept("restore", tmp_path / "later")["replayed"] == []
    assert there.journal().read_bytes() == before


@pytest.mark.parametrize("secret", ["index.key", "master.key"])
def test_a_restore_needs_the_secrets(backed: tuple[Company, Path], tmp_path: Path, secret: str) -> None:
    larch, backup = backed
    there = deployment(tmp_path / "there", secrets_of=larch.here, journal_of=larch.here)
    (there.data / secret).unlink()
    words = {"index.key": "secret of the index is another", "master.key": "master key here"}
    assert words[secret] in refused(there, backup)


def test_a_damaged_backup_is_refused_before_anything_is_touched(backed: tuple[Company, Path], tmp_path: Path) -> None:
    _larch, backup = backed
    whole = backup.read_bytes()
    with zipfile.ZipFile(backup) as file:
        place = file.getinfo("tables/contacts_person").header_offset + 200
        manifest = file.read("manifest.json")
    damaged = tmp_path / "damaged"
    for bytes_, word in (
        (whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], "tables/contacts_person"),
        (whole[: len(whole) // 2], "cut short"),
        (b"", "cut short"),
        (_resealed(backup, manifest.replace(b"kept-backup-1", b"kept-backup-9")), "kept-backup-9"),
        (_resealed(backup, manifest, without="tables/contacts_person"), "other members"),
    ):
        damaged.write_bytes(bytes_)
        with pytest.raises(BadInput, match=word), archive.Reader(damaged, archive.CONTENT) as reader:
            reader.check()
    with pytest.raises(BadInput, match="not kept-backup-1"):
        archive.Reader(backup.with_name("friday.keys"), archive.CONTENT)
    with pytest.raises(BadInput, match="cannot be read"):
        archive.Reader(tmp_path / "absent", archive.CONTENT)


def test_a_backup_that_is_not_ours_is_refused_before_anything_is_touched(backed: tuple[Company, Path], tmp_path: Path) -> None:
    larch, backup = backed
    there, _ = restored(backup, tmp_path / "there", larch.here)
    with zipfile.ZipFile(backup) as file:
        manifest = file.read("manifest.json")
    changed, keys = tmp_path / "changed", ("--keys", backup.with_name("friday.keys"), "--replace")
    changed.write_bytes(_resealed(backup, manifest.replace(b'"sequences": {', b'"sequences": {"data_subject": 1, ')))
    assert "another manifest than was sealed" in refused(there, changed, *keys)
    changed.write_bytes(_resealed(backup, manifest.replace(b'"given_name"', b'"first_name"')))
    assert "another table contacts_person" in refused(there, changed, *keys)
    assert look(there, larch.words)["people"] == [2, 2]


def _resealed(backup: Path, manifest: bytes, without: str = "") -> bytes:
    """The backup with another manifest under the old seal, or without a member."""
    changed = backup.with_name("changed")
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(changed, "w") as new:
        for name in set(old.namelist()) - {without}:
            new.writestr(name, manifest if name == "manifest.json" else old.read(name))
    return changed.read_bytes()


def test_data_is_replaced_only_when_told_and_nothing_is_written_over(backed: tuple[Company, Path], tmp_path: Path) -> None:
    larch, backup = backed
    there, _ = restored(backup, tmp_path / "there", larch.here)
    people = ROOT / "notices/larch/people.csv"
    there.kept("import", "larch", people, "--source", "the order book", "--basis", "contract", "--yes")
    assert "holds data" in refused(there, backup)
    assert look(there, larch.words)["people"] == [42, 42]
    there.kept("restore", backup, "--replace")
    assert look(there, larch.words)["people"] == [2, 2]
    assert there.found(["rosa.prieto@prieto.example"]) == set()
    assert "such a file already" in larch.here.kept("backup", backup, code=2)["message"]


def test_a_restore_that_is_killed_keeps_everything_shut_until_it_is_done(backed: tuple[Company, Path], tmp_path: Path) -> None:
    larch, backup = backed
    there = deployment(tmp_path / "there", secrets_of=larch.here, journal_of=larch.here)
    for step in RESTORING:
        done = there.run("kept.project.cli", "restore", backup, fault=f"restore:{step}")
        assert done.returncode == -signal.SIGKILL, f"{step}: {done.stdout}{done.stderr}"
        assert (there.data / "restore.unfinished").exists(), step
    (finding,) = there.kept("doctor", code=1)
    assert (finding["what"], finding["well"]) == ("restore", False)
    for command in (("kept.project.cli", "serve"), ("kept.project.cli", "work"), ("kept.project.wsgi",)):
        shut = there.run(*command)
        assert shut.returncode != 0
        assert "has not run to its end" in shut.stderr
    there.kept("restore", backup)
    assert_erased(there, larch.words[:1])
    assert look(there, larch.words)["people"] == [2, 2]
    assert all(row["well"] for row in there.kept("doctor"))


def test_a_snapshot_is_of_one_moment_and_holds_nobody_up() -> None:
    part = content.parts()["accounts_account"]
    with content.snapshot() as cursor:
        before = len(list(content.lines(cursor, part)))
        made = cast().account
        assert len(list(content.lines(cursor, part))) == before
    with content.snapshot() as cursor:
        lines = [line for _, line in content.lines(cursor, part)]
    assert len(lines) == before + 2
    assert any(made.slug.encode() in line for line in lines)


def test_every_table_of_the_database_is_backed_up_or_left_out_by_name() -> None:
    with connections["owner"].cursor() as cursor:
        there = set(connections["owner"].introspection.table_names(cursor))
    engine = {name for name in there if name.startswith(("guard_", "sqlite_")) or name == "subject_key"}
    assert there - engine == content.parts().keys() | content.OMITTED


def test_rows_of_people_are_sealed_under_their_own_keys(backed: tuple[Company, Path]) -> None:
    """Each frame of a table of people names a key of its own; every other frame the backup's."""
    _, backup = backed
    with archive.Reader(backup, archive.CONTENT) as reader:
        own = reader.manifest["key"]
        keys = {name: {key for key, _, _ in reader.frames(f"tables/{name}")} for name in reader.manifest["tables"]}
    people = {name for name, part in content.parts().items() if part.key != "0"}
    assert {"data_subject", "contacts_person", "contacts_contactpoint", "privacy_identifier"} <= people
    assert all(own not in keys[name] for name in people)
    assert all(keys[name] <= {own} for name in keys.keys() - people)
    assert len(keys["contacts_person"]) == 3
