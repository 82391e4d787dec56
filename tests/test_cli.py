"""The command line: what each command prints for a program, and its exit codes (0 done, 1 findings or refusals, 2 could not run)."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kept.platform.accounts.models import Account
from kept.project.cli import app
from tests.plugin import ROOT

NOTICE = ROOT / "notices/larch/notice.md"
PEOPLE = ROOT / "notices/larch/people.csv"
DANA = ("--email", "dana@quayside.example")


def kept(*arguments: object, code: int = 0) -> Any:
    """Run a command for a program; what it printed."""
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert done.exit_code == code, f"{done.exit_code}: {done.output} {done.exception!r}"
    return json.loads(done.stdout) if "--json" in arguments else done.output


def opened() -> str:
    """The slug of a new account, made as an operator would."""
    slug = f"larch-{secrets.token_hex(4)}"
    made = kept("account", "create", slug, "--notice", NOTICE, "--owner", f"alice@{slug}.example", "--json")
    assert (made["account"], made["notice_version"]) == (slug, 1)
    assert "/join/" in made["invitation"]
    return slug


@pytest.fixture(scope="module")
def slug() -> str:
    """An account with the example company's people."""
    name = opened()
    report = kept("import", name, PEOPLE, "--source", "the order book", "--basis", "contract", "--yes", "--json")
    assert (report["read"], report["created"], report["rejected"], report["refused_columns"]) == (40, 40, 0, [])
    return name


def test_check_tells_by_its_exit_code(tmp_path: Path) -> None:
    assert kept("check", NOTICE, "--json") == []
    bad = tmp_path / "bad.md"
    bad.write_text(NOTICE.read_text().replace('basis = "legitimate-interest"', 'basis = "legitimate-intrest"'))
    (finding, *_) = kept("check", bad, "--json", code=1)
    assert "legitimate-interest" in finding["cure"]
    assert finding["line"] > 1
    assert kept("check", tmp_path / "absent.md", "--json", code=2)["error"] == "bad-input"


def test_check_against_the_deployment_names_what_is_missing(slug: str) -> None:
    found = {finding["rule"]: finding for finding in kept("check", NOTICE, "--here", "--json", code=1) if finding["level"] == "error"}
    assert {finding["code"] for finding in found.values()} == {"unbound"}
    marketing = found["purpose:direct-marketing"]
    assert marketing["message"] == "there is no room “campaigns”"
    assert NOTICE.read_text().splitlines()[marketing["line"] - 1] == 'purpose = "direct-marketing"'
    assert "limit:no-card-numbers" not in found
    kept("check", NOTICE, "--account", slug, "--json", code=1)
    kept("check", NOTICE, "--account", "nobody-here", "--json", code=2)


def test_check_warns_of_a_category_that_no_column_holds() -> None:
    warned = [finding for finding in kept("check", NOTICE, "--here", "--json", code=1) if finding["level"] == "warning"]
    assert "no column of this deployment holds payment-history" in {finding["message"] for finding in warned}
    assert not any("holds email" in finding["message"] for finding in warned)


def test_promises_prints_every_promise_of_the_register_and_its_rules() -> None:
    rows = kept("promises", "--json")
    assert len(rows) == 227
    assert "missing" not in {row["state"] for row in rows}
    assert all(row["rules"] for row in rows)
    states = {row["id"]: row["state"] for row in rows}
    assert (states["CO-24"], states["CO-60"]) == ("unbound", "unbound")
    kept("promises", "--strict", "--json", code=1)


def test_promises_of_an_account_are_as_last_proved() -> None:
    slug = f"cooper-{secrets.token_hex(4)}"
    kept("account", "create", slug, "--notice", ROOT / "notices/cooper/notice.md", "--owner", f"alice@{slug}.example", "--json")
    before = {row["id"]: row["state"] for row in kept("promises", "--account", slug, "--json")}
    assert {state for name, state in before.items() if name.startswith("CP")} <= {"unproven", "unbound", "statement"}
    proved = {row["rule"]: row["state"] for row in kept("prove", slug, "--json")}
    rules = {
        rule["rule"]: rule["state"]
        for row in kept("promises", "--account", slug, "--json")
        for rule in row["rules"]
        if rule["notice"] == "cooper"
    }
    assert {rules[rule] for rule, state in proved.items() if state == "kept" and rule in rules} == {"kept"}
    assert {rules[rule] for rule, state in proved.items() if state == "statement" and rule in rules} <= {"statement"}


def test_an_account_needs_a_notice_that_passes(tmp_path: Path) -> None:
    bad = tmp_path / "bad.md"
    bad.write_text(NOTICE.read_text() + "\nWe will never sell it.\n")
    kept("account", "create", "larch-bad-notice", "--notice", bad, "--owner", "alice@larch.example", "--json", code=2)
    assert not Account.objects.filter(slug="larch-bad-notice").exists()


def test_the_same_file_again_creates_nobody(slug: str) -> None:
    report = kept("import", slug, PEOPLE, "--source", "the order book", "--basis", "contract", "--yes", "--json")
    assert (report["created"], report["updated"] + report["duplicates"]) == (0, 40)


def test_sql_sees_what_the_purpose_sees(slug: str) -> None:
    question = "SELECT count(*) AS people FROM contacts_person"
    assert kept("sql", slug, "--purpose", "customer-relations", question, "--json") == [{"people": 40}]
    assert kept("sql", slug, "--purpose", "direct-marketing", question, "--json") == [{"people": 0}]
    assert kept("sql", slug, "--purpose", "astrology", question, "--json", code=1)["error"] == "room-closed"


def test_choices_are_in_force_at_once(slug: str) -> None:
    question = ("sql", slug, "--purpose", "direct-marketing", "SELECT given_name FROM contacts_person", "--json")
    kept("choose", slug, "direct-marketing", *DANA, "--allow", "--json")
    assert kept(*question) == [{"given_name": "Dana"}]
    kept("choose", slug, "all", *DANA, "--restrict", "--json")
    assert kept(*question) == []
    kept("choose", slug, "all", *DANA, "--allow", "--json")
    kept("choose", slug, "direct-marketing", *DANA, "--object", "--json")
    assert kept(*question) == []
    assert kept("choose", slug, "direct-marketing", *DANA, "--json", code=2)["error"] == "bad-input"
    assert (
        kept("choose", slug, "direct-marketing", "--email", "nobody@quayside.example", "--object", "--json", code=2)["error"] == "not-found"
    )


def test_why_names_source_and_rule(slug: str) -> None:
    values = kept("why", slug, *DANA, "--json")
    by_value = {row["value"]: row for row in values}
    assert "the order book" in by_value["dana@quayside.example"]["why"]
    assert "collect:customer-file" in by_value["Dana"]["why"]
    assert by_value["1984-02-12"]["category"] == "birth-date"


def test_a_person_is_found_by_the_number_of_their_source(slug: str) -> None:
    assert any(row["value"] == "Jonas" for row in kept("why", slug, "--id", "L-1002", "--json"))


def test_access_then_erasure_with_a_certificate_that_verifies_offline(slug: str, tmp_path: Path) -> None:
    rosa = ("--email", "rosa.prieto@prieto.example")
    package = Path(kept("request", slug, "access", *rosa, "--out", tmp_path, "--json")["package"])
    assert package.stat().st_size > 1000
    written = kept("request", slug, "erase", *rosa, "--out", tmp_path, "--json")
    certificate, key = Path(written["certificate"]), Path(written["key"])
    assert kept("verify", certificate, "--key", key, "--json")["state"] == "valid"
    assert kept("verify", certificate, "--json", code=1)["state"] == "signer-unknown"
    changed = tmp_path / "changed.json"
    changed.write_bytes(certificate.read_bytes().replace(b"right:erasure", b"right:Erasure", 1))
    assert kept("verify", changed, "--key", key, "--json", code=1)["state"] == "invalid"
    assert kept("why", slug, *rosa, "--json", code=2)["error"] == "not-found"
    report = kept("import", slug, PEOPLE, "--source", "the order book", "--basis", "contract", "--yes", "--json")
    assert (report["created"], report["suppressed"]) == (0, 1)


def test_prove_and_doctor_find_nothing_broken(slug: str) -> None:
    report = kept("prove", slug, "--json")
    assert {row["state"] for row in report} <= {"kept", "unproven", "statement"}
    assert any(row["state"] == "kept" for row in report)
    findings = {row["what"]: row for row in kept_any("doctor", "--json")}
    assert findings["guard"]["well"], findings["guard"]
    assert findings["keys"]["well"]


def kept_any(*arguments: str) -> Any:
    """Run a command whatever its exit code; other tests' accounts are looked at too."""
    return json.loads(CliRunner().invoke(app, list(arguments)).stdout)


def test_diff_tells_what_changes_in_effect(tmp_path: Path) -> None:
    assert kept("diff", NOTICE, NOTICE) == "Nothing changes in effect.\n"
    later = tmp_path / "later.md"
    later.write_text(NOTICE.read_text().replace('keep = "3 years"', 'keep = "5 years"'))
    found = kept("diff", NOTICE, later, "--json")
    assert [(one["facet"], one["direction"]) for one in found["changes"]] == [("retention", "wider")]
    assert (found["material"], found["reduces_rights"], found["acceptance"]) == (True, False, "none")
    assert "+ We keep" in kept("diff", NOTICE, later)


def test_a_new_version_is_shown_before_it_is_put_in_force(tmp_path: Path) -> None:
    slug, later = opened(), tmp_path / "later.md"
    later.write_text(NOTICE.read_text().replace('keep = "3 years"', 'keep = "2 years"'))
    asked = CliRunner().invoke(app, ["notice", "activate", slug, str(later)], input="n\n")
    assert "- We keep" in asked.output
    assert Account.objects.get(slug=slug).notice_version is not None
    done = kept("notice", "activate", slug, later, "--yes", "--json")
    assert (done["notice_version"], done["in_force"], done["told_by"], done["letters"]) == (2, True, [], 0)
