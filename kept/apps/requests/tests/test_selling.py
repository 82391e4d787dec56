"""Ending the sale without account or proof, the list of those who did, the browser's signal, and the two words it takes to come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from kept.apps.contacts import actions as contacts
from kept.apps.contacts.actions import NewPerson
from kept.apps.requests import actions, queries
from kept.apps.requests.answers import gpc
from kept.apps.requests.answers.changes import may_ask_again
from kept.apps.requests.models import Channel, Kind, Request, State
from kept.apps.requests.tests.changing import again, ask, entries, letters, settle, stands, told, workshop
from kept.apps.requests.tests.people import dana, link_in, mail_to, requests_of
from kept.apps.requests.tests.test_correcting import members
from kept.core.errors import Conflict
from kept.platform.accounts.models import Account
from kept.platform.accounts.testing import cast, stranger
from kept.platform.data.use import writing
from kept.platform.privacy import choices, disclosures, optouts, subjects, suppression
from kept.platform.privacy.gate import acting, reserved
from kept.platform.privacy.models import Choice, Suppression
from kept.platform.privacy.testing import Subject, with_notice

OUT = ("opted-out", False)


@pytest.fixture(scope="module")
def account() -> Account:
    return workshop()


def digest(account: Account, email: str) -> tuple[str, bytes]:
    return "email", subjects.digest(account.pk, "email", email, "GB")


def listed(account: Account, email: str) -> bool:
    with reserved(account.pk, "command:test", "rights") as use:
        return optouts.on_list(use, [digest(account, email)])


def sold(account: Account, subject_id: int) -> bool:
    """Whether the one outlet lets anything of a person out to the advertiser."""
    with acting(account.pk, "job:audience", "direct-marketing") as use:
        people = list(Subject.under(use).filter(pk=subject_id))
        return bool(disclosures.disclose(use, "Brightlane Advertising", people, ["name", "email"]).allowed)


def newcomer(account: Account, email: str) -> int:
    """Somebody whom the team adds by hand; their subject."""
    with acting(account.pk, members(account)[0], "customer-relations") as use:
        contacts.add_person(use, NewPerson("GB", given_name="Dana", email=email, source="subject"))
    with reserved(account.pk, "command:test", "rights") as use:
        return int(subjects.find(use, "email", email, "GB").pk)


def test_the_sale_ends_without_proof_and_the_answer_says_from_when_and_how_far(account: Account) -> None:
    known = dana(account)
    with reserved(account.pk, "command:test", "rights") as use:
        choices.choose(use, Subject.under(use).get(pk=known.id), "allow", "direct-marketing")
    assert sold(account, known.id)
    _browser, request = ask(account, Kind.OPT_OUT_SALE, known.email)
    assert (request.state, request.proof) == (State.READY, "")
    assert not sold(account, known.id)
    held = stands(account, known.id)
    assert (held["sale"], held["sharing"]) == (OUT, OUT)
    assert request.outcome["reach"] == "records"
    assert told(account, request) == {("disclose:advertiser", "opt-out")}
    assert request.outcome["from"] <= timezone.now().isoformat()
    said = letters(account, known.email)[-1]
    assert "holds from now on" in said
    assert "records that we can tell are yours" in said
    assert "opt-out" in entries(account, request)


def test_nobody_learns_whether_an_address_is_known(account: Account) -> None:
    known, other = dana(account), "dana.nowhere@quayside.example"
    _one, ours = ask(account, Kind.OPT_OUT_SALE, known.email)
    _two, theirs = ask(account, Kind.OPT_OUT_SALE, other)
    assert (ours.state, set(ours.outcome)) == (theirs.state, set(theirs.outcome))
    assert letters(account, known.email)[-1].split("page")[0][:200] == letters(account, other)[-1].split("page")[0][:200]


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PHONE, Channel.POST, Channel.WEB])
def test_it_is_taken_by_any_channel_for_somebody_we_do_not_know(account: Account, channel: Channel) -> None:
    email = f"dana.{channel.value}@quayside.example"
    taken = actions.take_in(account, members(account)[0], actions.TakenIn(Kind.OPT_OUT_SALE, "email", email, "", "", channel))
    settle()
    assert again(account, taken).state == State.READY
    assert listed(account, email)
    phone = actions.take_in(account, members(account)[0], actions.TakenIn(Kind.OPT_OUT_SALE, "phone", "+441175550188", "", "", channel))
    settle()
    with reserved(account.pk, "command:test", "rights") as use:
        assert again(account, phone).state == State.READY
        number = ("phone", subjects.digest(account.pk, "phone", "+441175550188", "GB"))
        assert suppression.found(use, [number, digest(account, email)], "sale") == {number, digest(account, email)}


def test_the_list_holds_digests_alone_and_serves_nothing_else(account: Account) -> None:
    email = "dana.listed@quayside.example"
    ask(account, Kind.OPT_OUT_SALE, email)
    with reserved(account.pk, "command:test", "rights") as use:
        row = next(one for one in Suppression.under(use) if bytes(one.digest) == digest(account, email)[1])
        assert (row.scope, row.kind, row.rule) == ("sale", "email", "right:no-sale")
        assert email.encode() not in bytes(row.digest)
        assert not suppression.found(use, [digest(account, email)])  # it keeps nobody away
    subject_id = newcomer(account, email)
    held = stands(account, subject_id)
    assert held == {"sale": OUT, "sharing": OUT}


def test_who_is_added_later_is_opted_out_as_they_come_in(account: Account) -> None:
    email, free = "dana.later@quayside.example", "dana.free@quayside.example"
    ask(account, Kind.OPT_OUT_SALE, email)
    ours, others = newcomer(account, email), newcomer(account, free)
    for one in (ours, others):
        with reserved(account.pk, "command:test", "rights") as use:
            choices.choose(use, Subject.under(use).get(pk=one), "allow", "direct-marketing")
    assert not sold(account, ours)
    assert sold(account, others)
    assert "sale" not in stands(account, others)


def test_another_account_has_its_own_list(account: Account) -> None:
    other, email = workshop(), "dana.apart@quayside.example"
    ask(account, Kind.OPT_OUT_SALE, email)
    assert not listed(other, email)
    assert stands(other, newcomer(other, email)) == {}


def test_a_set_of_people_is_opted_out_at_once(account: Account) -> None:
    emails = [f"dana.{n}@many.example" for n in range(40)]
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        optouts.enlist(use, [digest(account, one) for one in emails[::2]], "right:no-sale")
    ids = [newcomer(account, one) for one in emails[:4]]
    people = [dana(account).id for _ in range(6)]
    with reserved(account.pk, "command:test", "rights") as use, writing(use):
        choices.choose(use, Subject.under(use).get(pk=people[0]), "allow", "sale")
        optouts.heed(use, [(one, digest(account, emails[n])) for n, one in enumerate(people)])
        optouts.heed(use, [(one, digest(account, emails[n])) for n, one in enumerate(people)])
    for n, one in enumerate([*ids, *people]):
        number = n if n < 4 else n - 4
        held = stands(account, one)
        assert (held.get("sale"), held.get("sharing")) == ((OUT, OUT) if number % 2 == 0 else (None, None))
    with reserved(account.pk, "command:test", "rights") as use:
        assert Choice.under(use).filter(subject_id=people[0]).count() == 2


# Coming back


def test_coming_back_takes_the_link_and_a_second_yes(account: Account) -> None:
    known = dana(account)
    ask(account, Kind.OPT_OUT_SALE, known.email)
    before = len(mail_to(account, known.email))
    made = actions.ask(account, Kind.OPT_IN_SALE, known.email, "GB", "fd00::3")
    assert made is not None
    settle()
    with pytest.raises(Conflict):
        actions.confirm_again(account, again(account, made))
    browser = stranger()
    answer = browser.post(link_in(mail_to(account, known.email)[before]))
    assert answer.status_code == 302
    settle()
    assert b"One more word" in browser.get(answer["Location"]).content
    request = again(account, made)
    assert (request.state, request.proof) == (State.RECEIVED, "link")
    assert stands(account, known.id)["sale"] == OUT
    assert listed(account, known.email)
    assert browser.post(answer["Location"] + "again/").status_code == 302
    settle()
    assert again(account, made).state == State.READY
    assert stands(account, known.id)["sale"] == ("given", False)
    assert not listed(account, known.email)
    with pytest.raises(Conflict):
        actions.confirm_again(account, again(account, made))


def test_nobody_comes_back_for_somebody_else(account: Account) -> None:
    known, actor = dana(account), members(account)[0]
    ask(account, Kind.OPT_OUT_SALE, known.email)
    taken = actions.take_in(account, actor, actions.TakenIn(Kind.OPT_IN_SALE, "email", known.email, "", "", Channel.PHONE))
    with pytest.raises(Conflict):
        actions.start(account, actor, again(account, taken))
    signed_in = actions.receive(account, actions.Asked(Kind.OPT_IN_SALE, Channel.SETTINGS, "GB", known.email, proof="sign-in"))
    settle()
    assert again(account, signed_in).state == State.RECEIVED
    assert stands(account, known.id)["sale"] == OUT


def test_nobody_is_asked_again_within_a_year(account: Account) -> None:
    known = dana(account)

    def may() -> bool:
        with reserved(account.pk, "command:test", "rights") as use:
            return may_ask_again(use, Subject.under(use).get(pk=known.id))

    assert may()
    ask(account, Kind.OPT_OUT_SALE, known.email)
    assert not may()
    for days, expected in ((360, False), (370, True)):
        with reserved(account.pk, "command:test", "rights") as use, writing(use):
            Choice.under(use).filter(subject_id=known.id).update(at=timezone.now() - timedelta(days=days))
        assert may() is expected


# The signal


@pytest.mark.parametrize(
    ("header", "said"), [("1", True), ("0, 1", True), (" 1", True), ("0", False), ("1;", False), ("", False), ("true", False)]
)
def test_a_signal_is_exactly_one(header: str, said: bool) -> None:
    assert gpc.sent(header) is said
    assert gpc.sent(None) is False


def test_the_signal_on_a_persons_page_is_heeded_once(account: Account) -> None:
    known = dana(account)
    browser, request = ask(account, Kind.ACCESS, known.email)
    page = link_in(mail_to(account, known.email)[-1])
    assert browser.get(page, headers={"Sec-GPC": "0"}).status_code == 200
    assert stands(account, known.id) == {}
    heeded = browser.get(page, headers={"Sec-GPC": "1"}).content
    assert b"Global Privacy Control" in heeded
    held = stands(account, known.id)
    assert {held[one] for one in ("sale", "sharing", "no-sale")} == {OUT}
    count = len(entries(account, request))
    assert browser.get(page, headers={"Sec-GPC": "1"}).status_code == 200
    assert [one for one in entries(account, request)[count:] if one != "look"] == []


def test_a_signal_is_nobodys_before_the_address_is_proved_and_nothing_where_nothing_is_sold(account: Account) -> None:
    known = dana(account)
    made = actions.ask(account, Kind.ACCESS, known.email, "GB", "fd00::4")
    assert made is not None
    assert not gpc.honour(account, made)
    assert stands(account, known.id) == {}
    plain = with_notice(cast().account)
    theirs = dana(plain)
    _browser, request = ask(plain, Kind.ACCESS, theirs.email)
    assert not gpc.honour(plain, request)
    _again, unknown = ask(account, Kind.ACCESS, "dana.signal@quayside.example")
    assert not gpc.honour(account, unknown)


def test_the_page_of_coming_back_is_not_overruled(account: Account) -> None:
    known = dana(account)
    made = actions.receive(account, actions.Asked(Kind.OPT_IN_SALE, Channel.WEB, "GB", known.email))
    settle()
    stranger().post(link_in(mail_to(account, known.email)[0]))
    actions.confirm_again(account, again(account, made))
    settle()
    assert not gpc.honour(account, again(account, made))
    assert stands(account, known.id)["sale"] == ("given", False)


def test_requests_of_the_list_name_nobody_when_they_are_closed(account: Account) -> None:
    email = "dana.closed@quayside.example"
    _browser, request = ask(account, Kind.OPT_OUT_SALE, email)
    actions.close(request)
    closed = queries.by_reference(account.pk, request.reference)
    assert (closed.state, closed.sealed, closed.key_id) == (State.DONE, None, None)
    assert isinstance(requests_of(account)[-1], Request)
    assert listed(account, email)
