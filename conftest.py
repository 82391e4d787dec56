"""Every test runs on real, guarded databases of its own: one set per worker, made once, never flushed.

Tests are kept apart by what keeps customers apart: each makes accounts of its own (the cast). No test is wrapped in a transaction
and none switches the guard off.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

pytest_plugins = ["tests.plugin"]

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
DATA = Path(tempfile.mkdtemp(prefix=f"kept-test-{WORKER}-"))


def _own_database(variable: str, name: str) -> None:
    """On a server: a database for this worker, made by the owner its address names."""
    import psycopg

    with psycopg.connect(os.environ[variable], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")


def _own_login(name: str) -> str:
    """A login for this worker: roles are the cluster's, and a test that changes its login must not disturb its neighbour's."""
    import psycopg

    password = secrets.token_hex(16)
    with psycopg.connect(os.environ["KEPT_OWNER_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN NOINHERIT PASSWORD '{password}'")
    return f"{name}:{password}"


def _renamed(variable: str, name: str) -> str:
    return urlunsplit(urlsplit(os.environ[variable])._replace(path=f"/{name}"))


def _prepare() -> None:
    """Point the settings at this worker's databases, before anything reads them."""
    os.environ["KEPT_DATA"] = str(DATA)
    os.environ.setdefault("KEPT_HOSTS", "127.0.0.1,localhost,testserver")
    os.environ["DJANGO_SETTINGS_MODULE"] = "kept.project.settings"
    if os.environ.get("KEPT_TEST_ENGINE", "sqlite") == "postgresql":
        run = f"{WORKER}_{os.getpid()}"
        _own_database("KEPT_OWNER_URL", f"test_{run}")
        _own_database("KEPT_KEYS_URL", f"test_keys_{run}")
        server = urlsplit(os.environ["KEPT_DATABASE_URL"])
        login = _own_login(f"login_{run}")
        os.environ["KEPT_DATABASE_URL"] = urlunsplit(server._replace(netloc=f"{login}@{server.netloc.rpartition('@')[2]}"))
        names = {"KEPT_OWNER_URL": f"test_{run}", "KEPT_DATABASE_URL": f"test_{run}", "KEPT_KEYS_URL": f"test_keys_{run}"}
        for variable, name in names.items():
            os.environ[variable] = _renamed(variable, name)
    else:
        for variable in ("KEPT_DATABASE_URL", "KEPT_OWNER_URL", "KEPT_KEYS_URL"):
            os.environ.pop(variable, None)


def pytest_configure(config: pytest.Config) -> None:
    """Set up the product as a deployment would. The process that only hands out tests to workers needs no database."""
    if config.getoption("numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["DJANGO_SETTINGS_MODULE"] = "kept.project.settings"
        os.environ["KEPT_DATA"] = str(DATA)
    else:
        _prepare()
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    setup_test_environment()


@pytest.fixture(scope="session", autouse=True)
def database() -> Iterator[None]:
    """Tables and guard, as `kept migrate` makes them."""
    from kept.platform.data.guard import install

    install.migrate()
    yield
    from django.db import connections

    connections.close_all()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(DATA, ignore_errors=True)
