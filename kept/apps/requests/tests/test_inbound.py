"""Mail to the privacy address opens a request of the right kind, proves nothing, and answers nobody twice."""

from __future__ import annotations

import secrets
from email.message import EmailMessage
from pathlib import Path

import pytest

from kept.apps.requests import attachments, inbound, outbox, private, queries
from kept.apps.requests.models import Attachment, Channel, Kind, Message, OutboxMessage, Request, State
from kept.apps.requests.tests.people import dana, mail_to, requests_of, work
from kept.core.errors import BadInput, Refused
from kept.platform.accounts.models import Account
from kept.platform.privacy import notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.testing import cast, with_notice

NOTICES = Path(__file__).resolve().parents[4] / "notices"


@pytest.fixture(scope="module")
def account() -> Account:
    return with_notice(cast().account)


def under(name: str, region: str) -> Account:
    made = cast().account
    made.region = region
    made.save(update_fields=["region"])
    notices.activate(made, (NOTICES / name / "notice.md").read_text(), "command:test")
    return made


def mail(sender: str, subject: str, text: str = "", **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"Dana <{sender}>", "privacy@larch.example", subject
    made["Message-ID"] = f"<{secrets.token_hex(8)}@quayside.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text or "Hello.")
    return made


def received(account: Account, made: EmailMessage) -> Request:
    found = inbound.receive(account, made.as_bytes())
    assert found is not None
    return queries.by_reference(account.pk, found.reference)


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [
        ("My data", "Please send me a copy of my data.", Kind.ACCESS),
        ("Please delete my account", "and everything with it", Kind.ERASE),
        ("Hello", "My address is wrong, please update my record.", Kind.CORRECT),
        ("Newsletter", "Unsubscribe me, please.", Kind.OBJECT),
        ("Wrong", "I want to complain about how you treat my data.", Kind.COMPLAIN),
        ("A thought", "How long is the quay?", Kind.QUESTION),
        ("Re: hello", "> delete my data\nNo, thank you.", Kind.QUESTION),
    ],
)
def test_the_words_of_a_mail_say_what_is_asked(account: Account, subject: str, text: str, kind: Kind) -> None:
    request = received(account, mail(dana(account).email, subject, text))
    assert (request.kind, request.channel) == (kind, Channel.EMAIL)
    assert text.splitlines()[0] in private.open_private(request).note


def test_a_mail_proves_nothing_and_a_letter_goes_to_its_sender(account: Account) -> None:
    known = dana(account)
    request = received(account, mail(known.email, "Delete my data", "All of it."))
    assert (request.state, request.verified_at) == (State.RECEIVED, None)
    work()
    (letter,) = mail_to(account, known.email)
    assert "/privacy/confirm/" in letter
    assert "You have our answer by" in letter


@pytest.mark.parametrize(
    ("subject", "text", "kind"),
    [
        ("California privacy request", "I live in California. What data do you hold on me?", Kind.KNOW),
        ("California privacy request", "California. Please delete my data.", Kind.ERASE),
        ("RE: Do Not Sell My Data", "Thank you. I am in California.", Kind.OPT_OUT_SALE),
    ],
)
def test_the_subject_lines_of_a_notice_open_its_requests(subject: str, text: str, kind: Kind) -> None:
    account = under("concord", "US-CA")
    request = received(account, mail(dana(account, region="US-CA").email, subject, text))
    assert (request.kind, request.region) == (kind, "US-CA")


def test_an_opt_out_of_sale_by_mail_needs_no_proof() -> None:
    account = under("concord", "US-CA")
    request = received(account, mail(dana(account, region="US-CA").email, "Do not sell my data"))
    assert request.state == State.VERIFIED


def test_a_first_line_opens_it_too_and_a_parent_is_one() -> None:
    account = under("cooper", "US-CA")
    known = dana(account, region="US-CA")
    shine = received(account, mail(known.email, "A letter", "Shine the Light request\nDana Marsh, 4 Quay Street, Oakland, CA, 94601"))
    assert shine.kind == Kind.MARKETING_DISCLOSURES
    child = received(account, mail(known.email, "My child's data", "Please erase what my daughter gave you."))
    assert (child.kind, child.decision["by"], child.state) == (Kind.ERASE, "parent", State.RECEIVED)


def test_the_same_mail_is_one_request(account: Account) -> None:
    made = mail(dana(account).email, "Delete my data", "All of it.")
    assert received(account, made).reference == received(account, made).reference
    with bookkeeping(account.pk) as use:
        assert not Message.under(use).filter(request=received(account, made).reference).exists()


@pytest.mark.parametrize(
    "header", [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List_Id": "<x.example>"}, {"Return_Path": "<>"}]
)
def test_programs_are_not_answered(account: Account, header: dict[str, str]) -> None:
    before = len(requests_of(account))
    assert inbound.receive(account, mail("robot@quayside.example", "Delete my data", "", **header).as_bytes()) is None
    assert len(requests_of(account)) == before


def test_an_answer_to_a_letter_joins_its_request_and_only_from_its_own_sender(account: Account) -> None:
    known = dana(account)
    request = received(account, mail(known.email, "My data", "A copy of my data, please."))
    work()
    with bookkeeping(account.pk) as use:
        (letter,) = OutboxMessage.under(use).filter(request=request.reference)
    number = next(one["Message-ID"] for found, one in outbox.letters_in_folder() if found == letter.pk)
    assert received(account, mail(known.email, "Re: it", "It was me.", In_Reply_To=number)).reference == request.reference
    assert received(account, mail("eve@elsewhere.example", "Re: it", "Me too.", In_Reply_To=number)).reference != request.reference
    with bookkeeping(account.pk) as use:
        (message,) = Message.under(use).filter(request=request.reference)
    assert private.open_bytes(message.key_id, message.request, bytes(message.sealed or b""), "message") == b"It was me."


def test_a_card_number_is_left_out_and_the_rest_is_heard(account: Account) -> None:
    request = received(account, mail(dana(account).email, "Delete my data", "My card is 4111 1111 1111 1111, ok?"))
    note = private.open_private(request).note
    assert "4111" not in note
    assert inbound.LEFT_OUT in note


def test_files_are_sealed_and_go_with_the_request(account: Account) -> None:
    known = dana(account)
    made = mail(known.email, "My address is wrong", "See the letter.")
    made.add_attachment(b"%PDF-1.4 a letter of " + known.email.encode(), maintype="application", subtype="pdf", filename="letter.pdf")
    made.add_attachment(b"MZ\x90\0\x03", maintype="image", subtype="png", filename="photo.png")
    request = received(account, made)
    with bookkeeping(account.pk) as use:
        (one,) = attachments.listed(use, request)
    assert (one.name, one.media_type, one.what) == ("letter.pdf", "application/pdf", "mail")
    assert known.email.encode() not in attachments.path(one.id).read_bytes()
    assert known.email.encode() in attachments.content(request, one.id)
    from kept.apps.requests import actions

    actions.close(request)
    assert not attachments.path(one.id).exists()
    with bookkeeping(account.pk) as use:
        assert Attachment.under(use).get(pk=one.id).name is None


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", BadInput),
        (b"x" * (attachments.MOST_BYTES + 1), BadInput),
        (b"PK\x03\x04zip", BadInput),
        (b"MZ\x90\0", BadInput),
        (b"<svg onload=x>", BadInput),
        (b"  <html>", BadInput),
        (b"%PDF-1.7 /OpenAction /JS", Refused),
        (b"card 4111 1111 1111 1111", Refused),
    ],
)
def test_what_is_no_letter_is_not_taken(content: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        attachments.media_type("file.pdf", content)


@pytest.mark.parametrize("raw", [b"", b"Subject: hi\r\n\r\nhello", b"From: nobody\r\n\r\nx"])
def test_what_is_no_mail_is_said_so(account: Account, raw: bytes) -> None:
    with pytest.raises(BadInput):
        inbound.receive(account, raw)


def test_an_address_that_writes_too_often_is_not_answered_each_time(account: Account) -> None:
    known = dana(account)
    found = [inbound.receive(account, mail(known.email, "Delete my data").as_bytes()) for _ in range(5)]
    assert [one is not None for one in found] == [True, True, True, False, False]
