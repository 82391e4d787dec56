"""Mail to the privacy address: what it asks for, and into the same door as everything else.

A mail proves nothing, for anybody can write any sender: a right that wants proof goes on with a letter to the address that it came
from, and one that wants none is done at once. What programs send of themselves is left alone, so that no two of them write forever.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email import policy as email_policy
from email.message import EmailMessage
from email.utils import parseaddr

from django.utils import timezone
from django.utils.html import strip_tags

from kept.apps.requests import actions, attachments, limits, private, queries
from kept.apps.requests.answers.objecting import OVER_MARKETING
from kept.apps.requests.lifecycle import OPEN
from kept.apps.requests.models import Channel, Kind, Message, Request, State
from kept.core.errors import BadInput, Refused
from kept.core.notice import Policy
from kept.core.notice.rules import AgeBody
from kept.core.notice.vocabulary import regions_of
from kept.platform.accounts.models import Account
from kept.platform.data import rows
from kept.platform.data.use import Use
from kept.platform.privacy import subjects
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.inlets import refused_category
from kept.platform.privacy.notices import policy_of

MOST_BYTES = 25 * 1024 * 1024
MOST_TEXT = 20_000
MOST_MESSAGES = 50
LEFT_OUT = "[number left out]"
_NUMBER = re.compile(r"\d(?:[ .-]?\d){6,}")
_QUOTED = re.compile(r"^(?:>.*|On .{5,200} wrote:)$", re.MULTILINE)
_CHILD = re.compile(r"\b(?:my|our) (?:child|son|daughter)\b", re.IGNORECASE)
_REPLY = re.compile(r"^(?:(?:re|fwd?|aw|wg|sv|vs)\s*:\s*)+", re.IGNORECASE)
WORDS: Mapping[Kind, tuple[str, ...]] = {
    Kind.OPT_OUT_SALE: ("do not sell", "don't sell", "do not share", "opt out of sale", "opt-out of sale"),
    Kind.OPT_IN_SALE: ("you may sell", "opt in to sale", "opt back in"),
    Kind.LIMIT_SENSITIVE: ("limit the use of my sensitive", "limit use of my sensitive"),
    Kind.ERASE: ("erase", "delete my", "delete all", "deletion", "be forgotten", "remove my data", "remove all"),
    Kind.PORTABILITY: ("portab", "transfer my data", "machine-readable", "machine readable"),
    Kind.KNOW: ("what do you know", "what data do you hold", "what you hold", "categories of personal", "right to know"),
    Kind.ACCESS: (
        "copy of my data",
        "copy of all",
        "access request",
        "access to my data",
        "subject access",
        "my personal data",
        "send me my",
    ),
    Kind.CORRECT: ("correct my", "rectif", "put right", "is wrong", "out of date", "update my"),
    Kind.RESTRICT: ("restrict",),
    Kind.WITHDRAW: ("withdraw my consent", "withdraw consent", "revoke my consent"),
    Kind.CHOICES: ("limit the use", "limit use", "limit the disclosure", "do not disclose", "don't disclose", "do not pass"),
    Kind.OBJECT: ("unsubscribe", "stop sending", "no more mail", "no more newsletters", "opt out", "opt-out", "i object", "marketing"),
    Kind.COMPLAIN: ("complain",),
}
"""What people write who ask for each, in the order in which it is looked for."""
REGIONS: Mapping[str, tuple[str, ...]] = {
    "US-CA": ("california", "ccpa", "cpra"),
    "GB": ("united kingdom", "england", "scotland", "wales", "northern ireland", "uk gdpr"),
    "CH": ("switzerland", "swiss"),
    "EEA": ("european union", "european economic area"),
    "US": ("united states", "usa"),
}


@dataclass(frozen=True)
class Mail:
    """A mail as far as it matters: `sender` is the address it says it comes from, `files` are name and bytes."""

    id: str
    sender: str
    subject: str
    text: str
    answers: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]
    by_program: bool

    @property
    def first_line(self) -> str:
        """The first line that says something, by which some letters open a request."""
        return next((line.strip() for line in self.text.splitlines() if line.strip()), "")

    @property
    def digest(self) -> str:
        """By which a mail that comes twice is known."""
        return hashlib.sha256(self.id.encode()).hexdigest()


def read(raw: bytes) -> Mail:
    """Read a mail. Raises BadInput for one without a sender, or too long."""
    if len(raw) > MOST_BYTES:
        raise BadInput("This mail is too long.", place="mail", cure=f"Up to {MOST_BYTES // 1024 // 1024} MB are read.")
    mail = message_from_bytes(raw, _class=EmailMessage, policy=email_policy.default)
    sender = parseaddr(str(mail.get("Reply-To") or mail.get("From") or ""))[1]
    if "@" not in sender:
        raise BadInput("This mail names no sender.", place="From", cure="Give the mail as it arrived, headers and all.")
    body = mail.get_body(("plain", "html"))
    text = "" if body is None else str(body.get_content())
    if body is not None and body.get_content_type() == "text/html":
        text = strip_tags(text)
    files = [(one.get_filename() or "attachment", bytes(one.get_payload(decode=True) or b"")) for one in mail.iter_attachments()]
    answers = " ".join(str(mail.get(name, "")) for name in ("In-Reply-To", "References")).split()
    return Mail(
        id=str(mail.get("Message-ID", "")) or hashlib.sha256(raw).hexdigest(),
        sender=sender,
        subject=without_numbers(_REPLY.sub("", " ".join(str(mail.get("Subject", "")).split()))),
        text=without_numbers(text.replace("\r\n", "\n").strip()[:MOST_TEXT]),
        answers=tuple(answers),
        files=tuple(files),
        by_program=_by_program(mail),
    )


def _by_program(mail: EmailMessage) -> bool:
    """Whether a program sent it of itself: RFC 3834, and what older ones say."""
    said = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    bulk = str(mail.get("Precedence", "")).strip().lower() in ("bulk", "list", "junk", "auto_reply")
    return said != "no" or bulk or "List-Id" in mail or str(mail.get("Return-Path", "")).strip() == "<>"


def without_numbers(text: str) -> str:
    """The text without the numbers that no inlet takes."""
    return _NUMBER.sub(lambda found: LEFT_OUT if refused_category(text) else found[0], text) if refused_category(text) else text


def kind_of(policy: Policy, mail: Mail) -> tuple[Kind, bool]:
    """What a mail asks for, and whether a parent asks: by a subject or first line that the notice names, else by its words."""
    subject, first = mail.subject.casefold(), mail.first_line.casefold()
    rights = [right for where in (*policy.notice.regions(), "") for right in policy.rights(where).values()]
    named = [right.kind for right in rights if subject and subject == (right.body.subject_line or "").casefold()]
    named += [right.kind for right in rights if first and first == (right.body.first_line or "").casefold()]
    ages = [body for _, body in policy.notice.saying(AgeBody, "")]
    parent = any(body.subject_line and body.subject_line.casefold() == subject for body in ages)
    said = _worded(_QUOTED.sub("", mail.text if named or parent else f"{mail.subject}\n{mail.text}"))
    if parent:
        return (said if said in (Kind.KNOW, Kind.ACCESS, Kind.CORRECT) else Kind.ERASE), True
    if named:
        return (said if said in named else Kind(named[0])), False
    about_child = bool(ages) and said not in (Kind.QUESTION, Kind.COMPLAIN) and bool(_CHILD.search(f"{mail.subject} {mail.text}"))
    return said, about_child  # so that it is not done to the writer's own data


def _worded(text: str) -> Kind:
    plain = " ".join(text.casefold().replace("’", "'").split())
    return next((kind for kind, words in WORDS.items() if any(word in plain for word in words)), Kind.QUESTION)


def region_of(policy: Policy, mail: Mail, home: str) -> str:
    """Where whoever writes says they live, of the regions the notice tells apart; the account's own where they say nothing."""
    plain = f" {mail.subject} {mail.text} ".casefold()
    told = set(policy.notice.regions())
    for region, words in REGIONS.items():
        if any(re.search(rf"\b{re.escape(word)}\b", plain) for word in words) and (told & set(regions_of(region)) or region == home):
            return region
    return home


def receive(account: Account, raw: bytes) -> Request | None:
    """Take in a mail; the request it opened or belongs to, None for what a program sent or what an address has sent too often today.

    The same mail twice is one request. Raises BadInput for what cannot be read.
    """
    mail = read(raw)
    if mail.by_program:
        return None
    policy = policy_of(account.pk)
    with bookkeeping(account.pk) as use:
        known = Request.under(use).filter(decision__mail=mail.digest).first() or _answered(use, account, mail)
    if known is not None:
        _add_to(account, known, mail)
        return known
    kind, parent = kind_of(policy, mail)
    region = region_of(policy, mail, account.region)
    if kind not in (Kind.QUESTION, Kind.COMPLAIN) and queries.right_of(queries.offered(account), kind, region) is None:
        kind = Kind.QUESTION
    if not limits.may_write(account.pk, kind, mail.sender, region):
        return None
    asked = actions.Asked(
        kind,
        Channel.EMAIL,
        region,
        mail.sender,
        data=queries.whose(account),
        details=_details(policy, kind, mail),
        ground=_ground(account, kind, region, mail),
        note=f"{mail.subject}\n\n{mail.text}".strip(),
        by="parent" if parent else "self",
    )
    request = actions.receive(account, asked, memory={"mail": mail.digest, "line": _line(account, kind, region, mail)})
    _files(account, request, mail)
    return request


def _line(account: Account, kind: Kind, region: str, mail: Mail) -> str:
    """Which line of a mail opened the request, as its right names it: ``subject`` or ``first``; empty where its words did."""
    right = queries.right_of(queries.offered(account), kind, region)
    first = mail.first_line
    if right is not None and mail.subject and mail.subject.casefold() == (right.body.subject_line or "").casefold():
        return "subject"
    return "first" if right is not None and first and first.casefold() == (right.body.first_line or "").casefold() else ""


def _details(policy: Policy, kind: Kind, mail: Mail) -> dict[str, str]:
    match kind:
        case Kind.OBJECT if _of_marketing(mail) and policy.opens(OVER_MARKETING):
            return {"purpose": OVER_MARKETING}
        case Kind.CORRECT:
            return {"what": mail.text}
        case Kind.COMPLAIN | Kind.QUESTION:
            return {"text": mail.text}
    return {}


def _ground(account: Account, kind: Kind, region: str, mail: Mail) -> str:
    """An objection to being written to is one to direct marketing, which nobody weighs."""
    right = queries.right_of(queries.offered(account), kind, region)
    about = kind == Kind.OBJECT and _of_marketing(mail)
    return "direct-marketing" if right and about and "direct-marketing" in right.body.grounds else ""


def _of_marketing(mail: Mail) -> bool:
    plain = f"{mail.subject} {mail.text}".casefold()
    return any(word in plain for word in ("unsubscribe", "marketing", "newsletter", "stop sending", "no more mail"))


def _answered(use: Use, account: Account, mail: Mail) -> Request | None:
    """The open request whose letter a mail answers, if it comes from whoever the letter went to."""
    for one in mail.answers:
        letter = re.match(r"<([0-9a-f]{32})\.\d+@", one)
        found = Request.under(use).filter(reference=letter[1], state__in=(*OPEN, State.READY)).first() if letter else None
        if found is not None and _same(private.open_private(found).email, mail.sender, account.region):
            return found
    return None


def _same(held: str, told: str, region: str) -> bool:
    try:
        return subjects.normalised("email", held, region) == subjects.normalised("email", told, region)
    except BadInput:
        return False


def _add_to(account: Account, request: Request, mail: Mail) -> None:
    """What was written in answer becomes a message of the request."""
    if request.decision.get("mail") == mail.digest or request.key_id is None:
        return
    text = _QUOTED.sub("", mail.text).strip()
    with bookkeeping(account.pk, writing=True) as use:
        sealed = private.seal_bytes(request, text.encode(), "message")
        if text and Message.under(use).filter(request=request.reference).count() < MOST_MESSAGES:
            rows.insert(use, Message, ("request", "key_id", "sealed", "at"), [(request.reference, request.key_id, sealed, timezone.now())])
    _files(account, request, mail)


def _files(account: Account, request: Request, mail: Mail) -> None:
    """Files of types we take; the others are left out, and the message says so by their absence."""
    for name, content in mail.files:
        try:
            with bookkeeping(account.pk, writing=True) as use:
                attachments.add(use, request, "mail", name, content)
        except (BadInput, Refused):
            continue
