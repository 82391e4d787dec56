"""Recipients to be told, for tests: a notice that names some, what went to them, and one that listens.

`Listener` is written from docs/howto/tell-recipients.md alone: it shares no code with what it talks to.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.test import Client
from django.utils import timezone

from kept.apps.requests import jobs
from kept.apps.requests.models import Correspondent, Telling
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.models import Subject
from kept.platform.jobs import worker
from kept.platform.privacy import disclosures
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.gate import acting
from kept.platform.privacy.testing import notice_text

_OUTLETS = """
Our advertiser buys names and email addresses.

```rule
disclose = "advertiser"
to = "Brightlane Advertising"
class = "advertising-partner"
as = "controller"
categories = ["name", "email"]
for = ["customer-relations"]
country = "GB"
sale = true
```

You can tell us to stop that, and within ten business days the advertiser has confirmed that it did.

```rule
choice = "no-sale"
governs = ["sale"]
default = "in"
effective_within = "0 days"
confirm_within = "10 business days"
signals = ["gpc"]
ways = ["link", "email"]
```

```rule
right = "no-sale"
kind = "opt-out-sale"
within = "10 business days"
verify = "none"
channels = ["web", "email"]
```

Everything lies with our host.

```rule
disclose = "hosting"
to = "Fernhill Hosting"
class = "service-provider"
as = "processor"
categories = [
  "name", "contact-point", "birth-date", "organisation", "job-title", "source-identifier",
]
for = ["customer-relations"]
country = "GB"
```

The police gets what it asks for.

```rule
disclose = "police"
to = "Harbour Police"
class = "authority"
as = "controller"
categories = ["name", "email"]
for = ["customer-relations"]
country = "GB"
```
"""
ADVERTISER, CARRIER, HOST = "disclose:advertiser", "disclose:carrier", "disclose:hosting"


@cache
def naming() -> str:
    """Larch's notice, with more recipients."""
    head, mark, tail = notice_text().partition("## If you live in California")
    return head + _OUTLETS + "\n" + mark + tail


def gave(account: Account, subject_id: int, *recipients: str) -> None:
    """Let data of a person go to recipients, as any room would."""
    with acting(account.pk, "job:test", "customer-relations") as use:
        people = list(Subject.under(use).filter(pk=subject_id))
        for one in recipients:
            assert disclosures.disclose(use, one, people, ["name", "email"]).allowed, one


def known_at(account: Account, rule: str, address: str, verify_key: str = "", within: str = "10 days") -> None:
    """Give a recipient an address, with no TLS, which the desk's form refuses."""
    names = ("recipient", "address", "verify_key", "confirms_within", "added_by", "added_at")
    with bookkeeping(account.pk, writing=True) as use:
        Correspondent.under(use).filter(recipient=rule, ended_at=None).update(ended_at=timezone.now())
        rows.insert(use, Correspondent, names, [(rule, address, verify_key, within, "member:1", timezone.now())])


def tellings(account: Account, reference: str) -> dict[str, Telling]:
    """Those of a request, by recipient."""
    with bookkeeping(account.pk) as use:
        return {one.recipient: one for one in Telling.under(use).filter(request=reference).order_by("id")}


def told() -> None:
    """Run what is due: tellings."""
    worker.run_due(timezone.now() + timedelta(seconds=9), jobs.tell)


@dataclass
class Listener:
    """A recipient: it keeps what it is told, checks it, and says how it stands."""

    address: str = ""
    status: int = 202
    says: bytes = b""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    web: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def verify_key(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    @property
    def orders(self) -> list[dict[str, Any]]:
        """What it was told, each checked."""
        return [self.checked(headers, body) for headers, body in self.heard]

    def checked(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """Verified with the key that the controller publishes."""
        document: dict[str, Any] = json.loads(body)
        (extension,) = document["extensions"].values()
        pem = self.web.get(urlsplit(extension["key"]).path).content
        public = load_pem_public_key(pem)
        assert isinstance(public, Ed25519PublicKey)
        public.verify(base64.b64decode(headers["X-OpenDSR-Signature"]), body)
        return document

    def knows(self, order: dict[str, Any], email: str) -> bool:
        """Whether it is about somebody with this address."""
        mine = hashlib.sha256(email.strip().lower().encode()).hexdigest()
        found = {(one["identity_type"], one["identity_format"], one["identity_value"]) for one in order["subject_identities"]}
        return ("email", "sha256", mine) in found

    def answer(self, order: dict[str, Any], status: str, **broken: Any) -> Any:
        """Say how it stands. `broken`: `key`, `body`, `domain`, `signature`, `url`, `more`."""
        (url,) = order["status_callback_urls"]
        document = {
            "controller_id": "larch",
            "expected_completion_time": "2026-01-01T00:00:00Z",
            "status_callback_url": url,
            "subject_request_id": order["subject_request_id"],
            "request_status": status,
            "api_version": "2.0",
            **broken.get("more", {}),
        }
        body = broken.get("body", json.dumps(document).encode())
        signature = base64.b64encode(broken.get("key", self.key).sign(body)).decode()
        headers = {
            "X-OpenDSR-Processor-Domain": broken.get("domain", "127.0.0.1"),
            "X-OpenDSR-Signature": broken.get("signature", signature),
        }
        return self.web.post(urlsplit(broken.get("url", url)).path, body, content_type="application/json", headers=headers)


@contextmanager
def listening() -> Iterator[Listener]:
    """One that listens on this machine."""
    made = Listener()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(made.status)
            self.end_headers()
            self.wfile.write(made.says)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.address = f"http://127.0.0.1:{server.server_port}/opendsr"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
