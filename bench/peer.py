"""The same people and the same requests, here and in the leading open tool, `ethyca-fides`, in one run on one PostgreSQL.

`scripts/peer && scripts/postgres .venv/bin/python -m bench.peer`. Skipped, with what is missing, where it cannot be started.

Ours: `rights.access` and `rights.erase` (up to the signed certificate). Theirs: a request through its own API, executed within the call
as its default settings have it, until it says `complete`. It masks where we delete; its cheapest masking is used, one column of each
row. It is given indexes on every column that it asks by, no guard, and its own database and cache.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import engines

ENVIRONMENT = Path(__file__).resolve().parents[1] / ".peer"
PATIENCE = 180
"""Seconds within which it must answer: it migrates its own database first."""
SECRET = "0123456789abcdef0123456789abcdef"
RUNS = {20: 10, 200: 5, 2_000: 2, 20_000: 1}
"""How often each is measured, by rows of the person."""

# Theirs: columns, their meaning in its vocabulary, and the rows out of our tables.
TABLES = {
    "subject": (
        {"region": "user.contact.address.country", "email": "user.contact.email"},
        """SELECT id, id, region, (SELECT value FROM contacts_contactpoint c WHERE c.account_id = s.account_id AND c.subject_id = s.id
        ORDER BY c.id LIMIT 1) FROM data_subject s""",
    ),
    "person": ({"given_name": "user.name.first"}, "SELECT id, subject_id, given_name FROM contacts_person"),
    "contact_point": ({"value": "user.contact.email"}, "SELECT id, subject_id, value FROM contacts_contactpoint"),
    "postal_address": ({"value": "user.contact.address"}, "SELECT id, subject_id, value FROM contacts_postaladdress"),
    "identifier": ({"digest": "user.unique_id"}, "SELECT id, subject_id, encode(digest, 'hex') FROM privacy_identifier"),
}


def missing() -> list[str]:
    """What stands in the way here, each with its cure."""
    return [
        said
        for there, said in (
            ((ENVIRONMENT / "done").exists(), "no environment of its own: run scripts/peer (some 190 packages, 800 MB)"),
            (shutil.which("redis-server"), "no redis-server: as root, scripts/components redis"),
            ("KEPT_OWNER_URL" in os.environ, "no PostgreSQL: start me with scripts/postgres"),
        )
        if not there
    ]


@dataclass
class Server:
    """The tool, running, and its API."""

    port: int
    folder: Path
    token: str = ""

    def call(self, method: str, path: str, body: object = None, form: dict[str, str] | None = None) -> Any:
        """One call of its API. Raises HTTPError."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None if body is None else json.dumps(body).encode()
        kind = "application/json" if form is None else "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {self.token}"} if self.token else {})
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=3600) as answer:
            return json.loads(answer.read() or b"null")

    def done(self, path: str, body: object) -> None:
        """A call that makes something."""
        said = self.call("PATCH", path, body)
        assert not said["failed"], said["failed"]

    def request(self, policy: str, email: str) -> str:
        """A request of somebody known by this address, to its end; its id."""
        said = self.call("POST", "/api/v1/privacy-request", [{"identity": {"email": email}, "policy_key": policy}])
        one = said["succeeded"][0]["id"]
        status = self.call("GET", f"/api/v1/privacy-request?request_id={one}")["items"][0]["status"]
        assert status == "complete", f"{policy} ended as {status}"
        return str(one)

    def copied(self, request: str) -> int:
        """How many rows the copy of a request for access holds."""
        (file,) = (self.folder / "fides_uploads").glob(f"{request}*.json")
        return sum(len(rows) for rows in json.loads(file.read_text()).values())


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _process(command: Sequence[str | Path], folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


@contextmanager
def server(owner: str) -> Iterator[Server]:
    """The tool with its cache, on databases of the cluster that `owner` reaches: its own is `fides`."""
    where = urllib.parse.urlsplit(owner)
    ports = (_free_port(), _free_port())
    settings = {
        "DATABASE__SERVER": "127.0.0.1",
        "DATABASE__PORT": str(where.port),
        "DATABASE__USER": where.username or "",
        "DATABASE__PASSWORD": where.password or "",
        "DATABASE__DB": "fides",
        "REDIS__HOST": "127.0.0.1",
        "REDIS__PORT": str(ports[0]),
        "REDIS__PASSWORD": SECRET,
        "SECURITY__APP_ENCRYPTION_KEY": SECRET,
        "SECURITY__OAUTH_ROOT_CLIENT_ID": "bench",
        "SECURITY__OAUTH_ROOT_CLIENT_SECRET": SECRET,
        "USER__ANALYTICS_OPT_OUT": "true",
        "LOGGING__LEVEL": "ERROR",
    }
    environment = {"PATH": os.environ["PATH"], **{f"FIDES__{name}": value for name, value in settings.items()}}
    with TemporaryDirectory(prefix="kept-bench-peer-") as name:
        folder = Path(name)
        (folder / "fides.toml").touch()
        cache = ["redis-server", "--port", str(ports[0]), "--bind", "127.0.0.1", "--requirepass", SECRET, "--save", ""]
        command: list[str | Path] = [ENVIRONMENT / "bin/fides", "-f", folder / "fides.toml", "webserver", "--port", str(ports[1])]
        with _process(cache, folder, environment), _process(command, folder, environment) as process:
            made = Server(ports[1], folder)
            _wait(made, process)
            yield made


def _wait(made: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            made.call("GET", "/health")
            break
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"bench.peer: it does not start; its log ends:\n{(made.folder / 'fides.log').read_text()[-2000:]}")
            time.sleep(1)
    asked = {"grant_type": "client_credentials", "client_id": "bench", "client_secret": SECRET}
    made.token = made.call("POST", "/api/v1/oauth/token", form=asked)["access_token"]


def teach(made: Server, owner: str) -> None:
    """Tell the tool where the people are, what each column means, and what is to be done on request."""
    where = urllib.parse.urlsplit(owner)
    address = {"host": "127.0.0.1", "port": where.port, "username": where.username, "password": where.password, "dbname": "peer"}
    made.done("/api/v1/connection", [{"key": "bench", "name": "bench", "connection_type": "postgres", "access": "write"}])
    assert made.call("PUT", "/api/v1/connection/bench/secret?verify=true", address)["test_status"] == "succeeded"
    collections = [{"name": name, "fields": list(_fields(name, columns))} for name, (columns, _) in TABLES.items()]
    dataset = {"fides_key": "bench", "organization_fides_key": "default_organization", "name": "bench", "collections": collections}
    made.call("POST", "/api/v1/dataset", dataset)
    made.done("/api/v1/connection/bench/datasetconfig", [{"fides_key": "bench", "ctl_dataset_fides_key": "bench"}])
    local = {"type": "local", "format": "json", "details": {"naming": "request_id"}, "key": "bench", "name": "bench"}
    made.done("/api/v1/storage/config", [local])
    does: dict[str, dict[str, object]] = {
        "access": {"storage_destination_key": "bench"},
        "erasure": {"masking_strategy": {"strategy": "null_rewrite", "configuration": {}}},
    }
    for kind, how in does.items():
        made.done("/api/v1/dsr/policy", [{"key": kind, "name": kind}])
        made.done(f"/api/v1/dsr/policy/{kind}/rule", [{"key": f"{kind}_rule", "name": f"{kind} rule", "action_type": kind, **how}])
        made.done(f"/api/v1/dsr/policy/{kind}/rule/{kind}_rule/target", [{"data_category": "user", "key": f"{kind}_target"}])


def _fields(table: str, columns: dict[str, str]) -> Iterator[dict[str, object]]:
    yield {"name": "id", "data_categories": ["system.operations"], "fides_meta": {"primary_key": True, "data_type": "integer"}}
    for name, category in columns.items():
        identity = {"identity": "email"} if (table, name) == ("subject", "email") else {}
        yield {"name": name, "data_categories": [category], "fides_meta": {"data_type": "string", **identity}}
    if table != "subject":
        whose = {"references": [{"dataset": "bench", "field": "subject.id", "direction": "from"}], "data_type": "integer"}
        yield {"name": "subject_id", "data_categories": ["system.operations"], "fides_meta": whose}


def measure(_: str, rows: int, persons: list[int]) -> None:
    """Fill, copy, and ask both."""
    import psycopg
    from django.db import connections

    from bench import rights
    from bench.filling import fill
    from bench.measure import alternate, say

    owner = os.environ["KEPT_OWNER_URL"]
    account = engines.deployment()
    fill(account, rows)
    ready = {size: [rights.somebody(account, size) for _ in range(RUNS[size] + 1)] for size in persons}
    with connections["owner"].cursor() as ours:
        for name in ("fides", "peer"):
            ours.execute(f"CREATE DATABASE {name}")
        with psycopg.connect(f"{owner.rpartition('/')[0]}/peer", autocommit=True) as theirs:
            _copy(ours, theirs)
            found = theirs.execute("SELECT id, email FROM subject WHERE id = ANY (%s)", [[*itertools.chain(*ready.values())]])
            emails: dict[int, str] = dict(found.fetchall())
            with server(owner) as made:
                teach(made, owner)
                say(f"\nPostgreSQL, {rows:,} rows{'':<40} {'ours':>12}  {'Fides':>11}    ratio")
                for size, people in ready.items():
                    one = people[0]
                    copy = made.copied(made.request("access", emails[one]))
                    assert copy == rights.access(account, one) + 1, "the two do not give the same rows"  # the subject's own row
                    mine = rights.in_turn(people, lambda subject: rights.erase(account, subject))
                    peer = rights.in_turn(people, lambda subject: made.request("erasure", emails[subject]))
                    copies = (lambda one=one: rights.access(account, one), lambda one=one: made.request("access", emails[one]))
                    for what, (work, theirs_of_it) in {"access": copies, "erasure": (mine, peer)}.items():
                        ratio = alternate(f"{what}, {size:,} rows (ours : Fides)", work, theirs_of_it, RUNS[size])
                        say(ratio)
                        say(f"    theirs takes {ratio.peer / ratio.ours:,.0f} times as long")
                    left = theirs.execute("SELECT count(*) FROM contact_point WHERE subject_id = ANY (%s) AND value IS NOT NULL", [people])
                    assert left.fetchall() == [(0,)], "it did not mask everything"


def _copy(ours: Any, theirs: Any) -> None:
    for name, (columns, rows) in TABLES.items():
        listed = ", ".join(f"{column} text" for column in columns)
        theirs.execute(f"CREATE TABLE {name} (id bigint PRIMARY KEY, subject_id bigint, {listed})")
        with ours.copy(f"COPY ({rows}) TO STDOUT") as out, theirs.cursor().copy(f"COPY {name} FROM STDIN") as into:
            for block in out:
                into.write(block)
        theirs.execute(f"CREATE INDEX ON {name} (subject_id)")
    theirs.execute("CREATE INDEX ON subject (email)")
    theirs.execute("ANALYZE")


if __name__ == "__main__":
    parser = engines.parser("bench.peer", "The same requests here and in ethyca-fides.")
    parser.add_argument("--rows", type=int, default=100_000, help="rows in the tables")
    parser.add_argument("--persons", type=int, nargs="+", choices=RUNS, default=[20, 200], help="rows of the people who ask")
    given = parser.parse_args()
    if lacking := missing():
        sys.stdout.write("".join(f"bench.peer: skipped, {one}\n" for one in lacking))
        sys.exit()
    sys.exit(engines.each("postgresql", measure, given.rows, given.persons))
