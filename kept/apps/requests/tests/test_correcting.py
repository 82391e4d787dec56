"""Correcting and completing: what is contested is left alone while the team looks, and what it should say then has the person as source."""

from __future__ import annotations

import pytest

from kept.apps.contacts.models import ContactPoint, Person, PostalAddress
from kept.apps.requests import actions
from kept.apps.requests.answers.changes import Correction, apply_correction, correctable
from kept.apps.requests.models import Kind, Request, State
from kept.apps.requests.tests.changing import again, ask, delivered, entries, letters, seen, settle, stands, told, workshop, write
from kept.apps.requests.tests.people import dana, link_in, mail_to
from kept.core.errors import BadInput, Conflict, NotFound, Refused
from kept.platform.accounts.actor import Actor
from kept.platform.accounts.models import Account, Member
from kept.platform.accounts.testing import cast
from kept.platform.privacy import proofs, provenance, subjects
from kept.platform.privacy.gate import reserved
from kept.platform.privacy.testing import Subject, with_notice


@pytest.fixture(scope="module")
def account() -> Account:
    return workshop()


def members(account: Account) -> list[Actor]:
    return [Actor("member", one.pk, one.user.name) for one in Member.objects.filter(account=account).order_by("pk")]


def keys(account: Account, request: Request) -> dict[str, str]:
    """The key of each value, by label; the labels are one each in the cast's record."""
    with reserved(account.pk, members(account)[0], "rights") as use:
        return {one.label: one.key for one in correctable(use, again(account, request))}


def test_what_is_contested_is_left_alone_until_it_is_put_right(account: Account) -> None:
    known, before = dana(account), broken(account)
    delivered(account, known.id)
    browser, request = ask(account, Kind.CORRECT, known.email, what="My family name is misspelt", should="Marsham")
    assert request.state == State.DECIDING
    assert request.subject_reference == known.reference
    assert not seen(account, known.id)
    assert not seen(account, known.id, "billing")
    listed = keys(account, request)
    changed = apply_correction(
        account,
        members(account)[0],
        request,
        [Correction.read(listed["Family name"], "Marsham"), Correction.read(listed["Postcode"], "BS1 4QA")],
        reason="Thank you for telling us.",
    )
    assert changed == ["name", "postal-address"]
    assert not seen(account, known.id)
    settle()
    request = again(account, request)
    assert request.state == State.READY
    assert request.outcome["corrected"] == ["name", "postal-address"]
    assert seen(account, known.id)
    assert stands(account, known.id)["all"] == ("", False)
    said = letters(account, known.email)[-1]
    assert "Name: Marsham" in said
    assert "BS1 4QA" in said
    assert "From now on we use it again" in said
    assert browser.get(of_page(account, known.email)).status_code == 200
    done = [one for one in entries(account, request) if one in ("correction", "restriction")]
    assert done == ["restriction", "correction", "restriction"]
    assert told(account, request) == {("disclose:carrier", "correct")}
    with reserved(account.pk, "command:test", "rights") as use:
        person = Person.under(use).get(subject_id=known.id)
        place = PostalAddress.under(use).get(subject_id=known.id)
        assert (person.family_name, person.given_name) == ("Marsham", "Dana")
        assert place.value.endswith("BS1 4QA")
        why = provenance.explain(use, [person], {known.id: Subject.under(use).get(pk=known.id).permits})
    origin = why["contacts_person", person.pk, "family_name"]
    assert (origin.source, origin.rule, origin.basis) == ("subject", "collect:sign-up", "contract")
    assert why["contacts_person", person.pk, "job_title"].source == "import"
    assert broken(account) == before


def broken(account: Account) -> list[tuple[str, str]]:
    return [(line.rule, line.said) for line in proofs.prove(account.pk, "command:test") if line.state == "broken"]


def of_page(account: Account, email: str) -> str:
    return link_in(mail_to(account, email)[-1])


def test_a_new_address_finds_them_and_the_old_one_no_more(account: Account) -> None:
    known = dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, complete="1", what="You have my old address")
    listed, new = keys(account, request), f"moved.{known.email}"
    apply_correction(
        account,
        members(account)[0],
        request,
        [Correction.read(listed["Email address"], new), Correction("", 0, "phone", "+441175550177")],
    )
    settle()
    with reserved(account.pk, "command:test", "rights") as use:
        assert subjects.find(use, "email", new, "GB").pk == known.id
        with pytest.raises(NotFound):
            subjects.find(use, "email", known.email, "GB")
        phones = set(ContactPoint.under(use).filter(subject_id=known.id, category="phone").values_list("value", flat=True))
    assert "+441175550177" in phones
    assert len(phones) == 2


def test_what_cannot_be_put_right_leaves_everything_as_it_was(account: Account) -> None:
    known, other = dana(account), dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, what="Wrong")
    _again, theirs = ask(account, Kind.CORRECT, other.email, what="Wrong")
    actor, listed = members(account)[0], keys(account, request)
    wrong = [
        (Correction.read(keys(account, theirs)["Family name"], "Taken"), NotFound),
        (Correction.read(listed["Birth date"], "13 February"), BadInput),
        (Correction.read(listed["Email address"], "no address"), BadInput),
        (Correction.read(listed["Email address"], other.email), Conflict),
        (Correction.read(listed["Job title"], "4111 1111 1111 1111"), Refused),
        (Correction.read(listed["Given name"], "Dana"), BadInput),
        (Correction(listed["Street"].split("/")[0], int(listed["Street"].split("/")[1]), "value", "Elsewhere"), BadInput),
        (Correction("", 0, "birth-date", "1990-01-01"), BadInput),
        (Correction("contacts_company", 1, "name", "Another"), NotFound),
    ]
    for one, error in wrong:
        with pytest.raises(error):
            apply_correction(account, actor, request, [Correction.read(listed["Family name"], "Half"), one][one.field == "given_name" :])
    with pytest.raises(BadInput):
        Correction.read("contacts_person", "x")
    assert again(account, request).state == State.DECIDING
    with reserved(account.pk, "command:test", "rights") as use:
        assert Person.under(use).get(subject_id=known.id).family_name == known.values[0]
        assert Person.under(use).get(subject_id=other.id).family_name == other.values[0]


def test_a_refusal_is_told_before_the_data_is_used_again(account: Account) -> None:
    known = dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, what="I am not forty")
    for actor in members(account):
        if actions.refuse(account, actor, again(account, request), "Your passport says so too."):
            break
    assert again(account, request).state == State.REFUSED
    assert not seen(account, known.id)
    settle()
    assert seen(account, known.id)
    said = letters(account, known.email)
    assert "Your passport says so too." in said[-2]
    assert "From now on we use it again" in said[-1]


def test_taking_it_back_lifts_what_it_restricted(account: Account) -> None:
    known = dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, what="Wrong")
    actions.revoke(account, again(account, request))
    settle()
    assert seen(account, known.id)


def test_what_another_request_holds_stays_closed(account: Account) -> None:
    known = dana(account)
    _one, first = ask(account, Kind.CORRECT, known.email, what="My name")
    _two, second = ask(account, Kind.CORRECT, known.email, what="My title")
    actions.revoke(account, again(account, first))
    settle()
    assert not seen(account, known.id)
    actions.revoke(account, again(account, second))
    settle()
    assert seen(account, known.id)


def test_without_that_ground_it_is_restricted_only_where_they_ask() -> None:
    account = with_notice(cast().account)
    known, wary = dana(account), dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, what="Wrong")
    assert request.state == State.DECIDING
    assert seen(account, known.id)
    write(account, Kind.CORRECT, wary.email, what="Wrong", restrict="1")
    assert not seen(account, wary.id)


def test_nobody_is_put_right_in_another_account(account: Account) -> None:
    known = dana(account)
    _browser, request = ask(account, Kind.CORRECT, known.email, what="Wrong")
    other = with_notice(cast().account)
    with pytest.raises(Conflict):
        apply_correction(other, members(other)[0], request, [Correction("contacts_person", 1, "family_name", "Taken")])
