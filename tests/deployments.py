"""Deployments of their own, each with its folder and its databases, driven from outside: for tests of what replaces a whole database."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from tests.plugin import ENGINE, ROOT, needs

DATABASES = ("KEPT_OWNER_URL", "KEPT_DATABASE_URL", "KEPT_KEYS_URL")


@dataclass(frozen=True)
class Deployment:
    """A folder, and on PostgreSQL the addresses of databases."""

    data: Path
    addresses: dict[str, str]

    def run(self, module: str, *arguments: object, fault: str = "") -> subprocess.CompletedProcess[str]:
        """Run a module of ours as a process of this deployment."""
        inherited = {name: value for name, value in os.environ.items() if name not in DATABASES}
        environment = {**inherited, **self.addresses, "KEPT_DATA": str(self.data), "KEPT_FAULT": fault, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def kept(self, *arguments: object, code: int = 0) -> Any:
        """A command; what it prints for programs."""
        done = self.run("kept.project.cli", *arguments, "--json")
        assert done.returncode == code, f"{done.returncode}: {done.stdout} {done.stderr}"
        return json.loads(done.stdout)

    def step(self, *arguments: object) -> Any:
        """A step of `tests.backing_steps`; what it says."""
        done = self.run("tests.backing_steps", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def found(self, words: Iterable[str]) -> set[str]:
        """Which of these words stand in its store: in any byte of its files, and on PostgreSQL in a dump of its databases."""
        stored = [path.read_bytes() for path in sorted(self.data.rglob("*")) if path.is_file()]
        stored += [self._dump(self.addresses[name]) for name in ("KEPT_OWNER_URL", "KEPT_KEYS_URL") if name in self.addresses]
        everything = b"\0".join(stored).lower()
        return {word for word in words if word.lower().encode() in everything}

    def _dump(self, address: str) -> bytes:
        return subprocess.run([needs("postgresql") / "pg_dump", address], capture_output=True, check=True).stdout

    def journal(self) -> Path:
        return self.data / "journal" / "erasures.jsonl"


def deployment(data: Path, *, secrets_of: Deployment | None = None, journal_of: Deployment | None = None) -> Deployment:
    """A new one, without tables; with the secret keys of another, and with its journal, as an operator would bring them."""
    data.mkdir()
    for path in secrets_of.data.glob("*.key") if secrets_of else ():
        shutil.copy(path, data)
    if journal_of:
        shutil.copytree(journal_of.data / "journal", data / "journal")
    return Deployment(data, _addresses() if ENGINE == "postgresql" else {})


def _addresses() -> dict[str, str]:
    """Databases and a login of its own, on the server of this run."""
    import psycopg

    name, password = f"deployed_{secrets.token_hex(6)}", secrets.token_hex(16)
    for variable, database in (("KEPT_OWNER_URL", name), ("KEPT_KEYS_URL", f"{name}_keys")):
        with psycopg.connect(os.environ[variable], autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database} TEMPLATE template0")
    with psycopg.connect(os.environ["KEPT_OWNER_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN NOINHERIT PASSWORD '{password}'")
    named = {"KEPT_OWNER_URL": name, "KEPT_DATABASE_URL": name, "KEPT_KEYS_URL": f"{name}_keys"}
    found = {variable: urlsplit(os.environ[variable])._replace(path=f"/{database}") for variable, database in named.items()}
    server = found["KEPT_DATABASE_URL"]
    found["KEPT_DATABASE_URL"] = server._replace(netloc=f"{name}:{password}@{server.netloc.rpartition('@')[2]}")
    return {variable: urlunsplit(address) for variable, address in found.items()}
