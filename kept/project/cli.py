"""The command line. docs/howto/command-line.md describes each command; a test compares the two."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

from kept.core.errors import BadInput, Conflict, NotFound
from kept.project import mail
from kept.project.console import (
    DONE,
    FAILED,
    FINDINGS,
    AccountName,
    Email,
    Id,
    Json,
    Phone,
    command,
    leave,
    person,
    say,
    start,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Kept keeps its privacy notice.")
account_app = typer.Typer(no_args_is_help=True, help="Accounts.")
notice_app = typer.Typer(no_args_is_help=True, help="The notice in force.")
keys_app = typer.Typer(no_args_is_help=True, help="Keys.")
app.add_typer(account_app, name="account")
app.add_typer(notice_app, name="notice")
app.add_typer(keys_app, name="keys")

Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on.")]
NoticeFile = Annotated[Path, typer.Option("--notice", help="The notice, a Markdown file.")]
KeysFile = Annotated[Path | None, typer.Option("--keys", help="The file of keys; else FILE.keys.")]
ACTOR = "command:kept"


class Form(StrEnum):
    """The forms of `kept export`: plain JSON, the record of processing, the Data Privacy Vocabulary, a manifest of Fides."""

    json = "json"
    record = "record"
    dpv = "dpv"
    fides = "fides"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", place=str(path), cure="Check the name.") from error


def _read(path: Path) -> str:
    try:
        return TextIOWrapper(BytesIO(_bytes(path)), encoding="utf-8").read()
    except UnicodeDecodeError as error:
        raise BadInput("This is not UTF-8 text.", place=f"{path}, byte {error.start}", cure="Save it as UTF-8.") from error


# Serving


@app.command()
@command
def serve(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Migrate where needed, then serve pages and do the background work."""
    start()
    from kept.project import serve as serving

    serving.prepare()
    serving.serve(host, port)


@app.command()
@command
def demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve with the example workspaces, loaded once; prints addresses and sign-ins."""
    import os

    os.environ.setdefault("KEPT_DEMO", "1")
    os.environ.setdefault("KEPT_SITE", f"http://{host}:{port}")
    start()
    from kept.project import demo as example
    from kept.project import serve as serving

    serving.prepare()
    say(None, as_json=False, text=example.load())
    serving.serve(host, port)


@app.command(hidden=True)
@command
def work() -> None:
    """Do background work only; `kept serve` starts this beside the pages."""
    start()
    from kept.project import serve as serving

    serving.work()


@app.command()
@command
def migrate() -> None:
    """Bring tables and guard to this version."""
    start()
    from kept.platform.data.guard import install

    install.migrate()
    say(None, as_json=False, text="Tables and guard are of this version.")


@app.command()
@command
def doctor(as_json: Json = False) -> None:
    """Look at the deployment: guard, keys, journal, ledger, log settings."""
    start(unfinished=True)
    from kept.project import health

    findings = health.examine()
    text = "\n".join(f"{'ok  ' if one.well else 'MEND'} {one.what}: {one.said}" for one in findings)
    say([one.__dict__ for one in findings], as_json=as_json, text=text)
    leave(DONE if all(one.well for one in findings) else FINDINGS)


@app.command()
@command
def backup(
    file: Annotated[Path, typer.Argument(help="The backup to write.")],
    keys: KeysFile = None,
    as_json: Json = False,
) -> None:
    """Write a backup, and its keys into a file of their own."""
    start()
    from kept.platform.privacy.backup import back_up
    from kept.project import backing

    made = back_up(file, backing.keys_of(file, keys))
    say(asdict(made), as_json=as_json, text=backing.made_in_words(made))
    leave(FINDINGS if made.unexplained else DONE)


@app.command("restore")
@command
def restore_backup(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    keys: KeysFile = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what the database holds.")] = False,
    as_json: Json = False,
) -> None:
    """Put a backup back, and replay the erasure journal."""
    start(unfinished=True)
    from kept.platform.privacy.backup import restore
    from kept.project import backing

    restored = restore(file, backing.keys_of(file, keys), replace=replace)
    say(asdict(restored), as_json=as_json, text=backing.restored_in_words(restored))
    leave(DONE if backing.well(restored) else FINDINGS)


@keys_app.command("rotate")
@command
def rotate_keys(as_json: Json = False) -> None:
    """Wrap every key anew under a new master key (file only; with a key of the environment, see the documentation)."""
    start()
    from kept.platform.privacy.secrets import rotate_master_key

    count = rotate_master_key()
    say({"rewrapped": count}, as_json=as_json, text=f"{count} keys are wrapped under the new master key.")


# Accounts and notices


@account_app.command("create")
@command
def account_create(
    slug: Annotated[str, typer.Argument(help="The account's short name, as it stands in addresses.")],
    notice: NoticeFile,
    owner: Annotated[str, typer.Option(help="The owner's email address; a link to set a password is sent there.")],
    name: Annotated[str, typer.Option(help="The company's name; else the notice's controller.")] = "",
    region: Annotated[str, typer.Option(help="Where the company's people live unless a record says otherwise.")] = "GB",
    as_json: Json = False,
) -> None:
    """Make an account under a notice and invite its owner."""
    from kept.core.notice import parse

    text = _read(notice)
    parsed = parse(text, filename=notice.name)
    start()
    from django.db import transaction

    from kept.platform.accounts import actions
    from kept.platform.accounts.queries import invitations
    from kept.platform.privacy import notices

    link = None
    try:
        with transaction.atomic():  # an account without a notice would be half done
            account = actions.create_account(slug, name or parsed.identity.controller.partition(",")[0], region, owner)
            version = notices.activate(account, text, ACTOR, filename=notice.name)
            link = next((actions.invitation_link(invitation) for invitation in invitations(account)), None)
    except OSError as error:  # mail goes out once the transaction has committed
        if link is None:
            raise
        message = f"The account is open, but the mail to its owner could not be sent: {error}."
        raise Conflict(message, place="KEPT_SMTP_URL", cure=f"Give the owner this link yourself: {link}") from error
    lines = [f"{account.slug} is open under version {version.number} of its notice."] + (
        [f"Its owner sets a password at {link}"] if link else []
    )
    say({"account": account.slug, "notice_version": version.number, "invitation": link}, as_json=as_json, text="\n".join(lines))


@notice_app.command("activate")
@command
def notice_activate(
    account: AccountName,
    file: Annotated[Path, typer.Argument(help="The notice.")],
    tell: Annotated[list[str] | None, typer.Option(help="How people are told, where the notice promises one of several ways.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Go on without showing the preview.")] = False,
    as_json: Json = False,
) -> None:
    """Show what a new version changes, and decide for it; it takes effect when the notice in force promises."""
    start()
    from kept.project import changing

    said = changing.activate(account, _read(file), file.name, tell or (), ACTOR, ask=not (yes or as_json))
    say(said, as_json=as_json, text=changing.outcome(said))


@app.command("diff")
@command
def diff_notices(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The older notice.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The newer notice.")],
    as_json: Json = False,
) -> None:
    """What changes in effect from one notice to the other. Needs no deployment."""
    from kept.core.notice import parse
    from kept.core.notice.diff import diff
    from kept.project import changing

    found = diff(parse(_read(old), filename=old.name), parse(_read(new), filename=new.name))
    say(changing.document(found), as_json=as_json, text=changing.in_words(found))


@app.command()
@command
def check(
    file: Annotated[Path, typer.Argument(help="The notice.")],
    here: Annotated[bool, typer.Option("--here", help="Also against this deployment: what it binds, and what it holds.")] = False,
    account: Annotated[str, typer.Option(help="Also against this deployment, for this account.")] = "",
    as_json: Json = False,
) -> None:
    """Is a notice well formed, whole, and free of contradiction? Needs no deployment unless asked for one."""
    from kept.core import notice as language
    from kept.core.errors import NoticeError

    try:
        notice = language.parse(_read(file), filename=file.name)
        findings = list(language.check(notice))
        if here or account:
            start()
            from kept.project import promising

            findings += promising.findings(notice, account)
    except NoticeError as error:
        findings = list(error.findings)
    text = "\n".join(str(finding) for finding in findings) or "No findings."
    document = [{name: getattr(finding, name) for name in finding.__slots__} for finding in findings]
    say(document, as_json=as_json, text=text)
    leave(FINDINGS if any(finding.level == "error" for finding in findings) else DONE)


@app.command()
@command
def fmt(
    files: Annotated[list[Path], typer.Argument(help="The notices.")],
    check_only: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where something would change.")] = False,
) -> None:
    """Bring notices into their one form: keys in the order of the language, long lists wrapped."""
    from kept.core.notice.formatting import formatted

    texts = {file: _read(file) for file in files}
    changed = [file for file, text in texts.items() if formatted(text) != text]
    for file in changed if not check_only else ():
        file.write_text(formatted(texts[file]), encoding="utf-8")
    word = "would change" if check_only else "changed"
    say(None, as_json=False, text="\n".join(f"{file} {word}." for file in changed) or "Nothing to change.")
    leave(FINDINGS if check_only and changed else DONE)


@app.command()
@command
def export(
    file: Annotated[Path, typer.Argument(help="The notice.")],
    form: Annotated[Form, typer.Option("--format", help="The form.")] = Form.json,
    address: Annotated[str, typer.Option(help="Where the notice is published.")] = "",
    as_json: Json = False,
) -> None:
    """A notice in a form for other tools, on standard output; every form is JSON. Needs no deployment."""
    from kept.core.notice import compile, parse
    from kept.core.notice.exports import dpv, fides, plain, record

    notice = parse(_read(file), filename=file.name)
    policy, published = compile(notice), address or f"urn:sha256:{plain.digest(notice.text)}"
    writers: dict[Form, Callable[[], Mapping[str, Any]]] = {
        Form.json: partial(plain.document, notice),
        Form.record: partial(record.document, policy),
        Form.dpv: partial(dpv.document, policy, published),
        Form.fides: partial(fides.manifest, policy, published),
    }
    found = writers[form]()
    say(found, as_json=as_json, text=json.dumps(found, indent=2, ensure_ascii=False))


@app.command()
@command
def prove(account: Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="Else every account.")] = "", as_json: Json = False) -> None:
    """Prove every rule of the notice on live data."""
    start()
    from kept.platform.accounts.queries import account_by_slug
    from kept.platform.privacy.notices import accounts_in_force
    from kept.platform.privacy.proofs import prove as prove_account

    accounts = [account_by_slug(account)] if account else list(accounts_in_force())
    report = [
        {"account": one.slug, "rule": proof.rule, "state": proof.state, "counted": proof.counted, "said": proof.said}
        for one in accounts
        for proof in prove_account(one.pk, ACTOR)
    ]
    text = "\n".join(f"{row['state']:<10} {row['rule']:<40} {row['said']}" for row in report)
    say(report, as_json=as_json, text=text or "No account has a notice.")
    leave(FINDINGS if any(row["state"] == "broken" for row in report) else DONE)


@app.command()
@command
def promises(
    accounts: Annotated[
        list[str] | None, typer.Option("--account", help="Take the states from this account's latest proof; may be given for several.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 while any promise is missing, broken or unbound.")] = False,
    as_json: Json = False,
) -> None:
    """Every promise of the register, the rules that carry it, and how it stands."""
    start()
    from kept.project import promising

    rows = promising.promises(accounts or ())
    say(rows, as_json=as_json, text=promising.in_words(rows))
    leave(FINDINGS if strict and promising.failing(rows) else DONE)


@app.command()
@command
def verify(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="A receipt, certificate, signed head or proof of consistency; several, oldest first."),
    ],
    key: Annotated[Path | None, typer.Option("--key", help="The public key that the account publishes (PEM).")] = None,
    as_json: Json = False,
) -> None:
    """Verify offline, and whether several tell one history. Exit 0: valid; 1: changed, rewritten or signer unknown; 2: could not tell."""
    from kept.core.ledger import VerifyKey, verify_documents

    verdict = verify_documents([_bytes(file) for file in files], VerifyKey.from_pem(_read(key)) if key else None)
    text = "\n".join([verdict.summary, *verdict.reasons])
    say({"state": verdict.state, "reasons": list(verdict.reasons)}, as_json=as_json, text=text)
    leave(DONE if verdict.state == "valid" else FINDINGS)


# Data and people


@app.command("import")
@command
def import_file(
    account: AccountName,
    file: Annotated[Path, typer.Argument(help="A CSV file.")],
    source: Annotated[str, typer.Option(help="Where the file comes from.")],
    basis: Annotated[str, typer.Option(help="The lawful basis that you attest.")],
    map_file: Annotated[Path | None, typer.Option("--map", help='A JSON file: {"column": "field"}.')] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Go on without showing the preview.")] = False,
    as_json: Json = False,
) -> None:
    """Import people from a CSV file."""
    start()
    from kept.project import importing

    report = importing.run(account, file, source, basis, map_file, ask=not (yes or as_json))
    say(report, as_json=as_json, text=importing.in_words(report))
    leave(FINDINGS if report["rejected"] else DONE)


@app.command()
@command
def sql(
    account: AccountName,
    statement: Annotated[str, typer.Argument(help="One SELECT.")],
    purpose: Annotated[str, typer.Option(help="The purpose under which you ask.")],
    as_json: Json = False,
) -> None:
    """One read-only statement on a connection bound to the account and the purpose."""
    start()
    from kept.platform.accounts.queries import account_by_slug
    from kept.platform.data.bound import ask
    from kept.platform.privacy.gate import use_for

    answer = ask(use_for(account_by_slug(account).pk, ACTOR, purpose), statement)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    text = "\n".join(["\t".join(answer.columns), *("\t".join("" if v is None else str(v) for v in row) for row in answer.rows)])
    say(rows, as_json=as_json, text=text)


@app.command()
@command
def choose(
    account: AccountName,
    purpose: Annotated[str, typer.Argument(help="The purpose, or `all`.")],
    email: Email = "",
    phone: Phone = "",
    source_id: Id = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw consent.")] = False,
    object_: Annotated[bool, typer.Option("--object", help="Object.")] = False,
    restrict: Annotated[bool, typer.Option("--restrict", help="Restrict processing (GDPR art. 18).")] = False,
    allow: Annotated[bool, typer.Option("--allow", help="Allow: gives consent, lifts objection and restriction.")] = False,
    as_json: Json = False,
) -> None:
    """Enter a person's choice; it is in force when this returns."""
    start()
    from kept.platform.privacy import choices
    from kept.project.people import found

    said: dict[choices.Verb, bool] = {"withdraw": withdraw, "object": object_, "restrict": restrict, "allow": allow}
    given = [verb for verb, on in said.items() if on]
    if len(given) != 1:
        raise BadInput("Say one thing.", place="choice", cure="Give one of --withdraw, --object, --restrict, --allow.")
    with found(account, person(email, phone, source_id), ACTOR) as (use, subject):
        entry = choices.choose(use, subject, given[0], purpose)
    say({"entry": entry, "choice": given[0], "purpose": purpose}, as_json=as_json, text=f"{given[0]} {purpose}: in force, entry {entry}.")


@app.command()
@command
def request(
    account: AccountName,
    kind: Annotated[str, typer.Argument(metavar="access|erase")],
    email: Email = "",
    phone: Phone = "",
    source_id: Id = "",
    out: Annotated[Path, typer.Option("--out", help="Where package or certificate go.")] = Path(),
    as_json: Json = False,
) -> None:
    """Carry out a request for access or erasure; for erasure, up to the cleared residue."""
    if kind not in ("access", "erase"):
        raise BadInput(f"There is no request “{kind}”.", place="request", cure="Ask for access or erase.")
    start()
    from kept.project import people

    written = people.answer(account, kind, person(email, phone, source_id), ACTOR, out)
    say(written, as_json=as_json, text="\n".join(f"{name}: {value}" for name, value in written.items()))


@app.command("receive-mail")
def receive_mail(
    account: AccountName,
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="The mail as it arrived, headers and all; `-`: standard input.")] = "-",
) -> None:
    """Take in a mail to the privacy address, for a mail server. Exit 0: taken, or left alone; 65: no mail; 75: try again."""
    leave(mail.receive(account, file))


@app.command()
@command
def why(account: AccountName, email: Email = "", phone: Phone = "", source_id: Id = "", as_json: Json = False) -> None:
    """Every value held on a person, and why."""
    start()
    from kept.project import people

    values = people.held(account, person(email, phone, source_id), ACTOR)
    if not values:
        raise NotFound("Nothing is held on this person.", place=account)
    text = "\n".join(f"{row['what']}: {row['value']}\n    {row['why']}" for row in values)
    say(values, as_json=as_json, text=text)


def main() -> None:
    """The program `kept`."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
