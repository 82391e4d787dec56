"""Drafts of a notice: written by two at one time, proposed by one, approved by another."""

from __future__ import annotations

import html
import json

import pytest
from django.test import Client

from kept.apps.notices import editor, editor_queries, editor_reading
from kept.apps.notices.models import DraftStep, NoticeDraft
from kept.core.errors import BadInput, Conflict, NotFound, NotPermitted
from kept.core.notice import parse
from kept.core.notice.formatting import formatted
from kept.platform.accounts.actions import change_role
from kept.platform.accounts.models import Member
from kept.platform.accounts.queries import membership
from kept.platform.accounts.roles import Role
from kept.platform.accounts.testing import Cast, cast, client_for
from kept.platform.privacy import ledger, notices
from kept.platform.privacy.bookkeeping import bookkeeping
from kept.platform.privacy.models import Activation, Entry
from kept.platform.privacy.testing import notice_text, with_notice

NEWER = notice_text().replace("within ten business days", "within five business days").replace("10 business days", "5 business days")


@pytest.fixture
def people() -> Cast:
    made = cast()
    with_notice(made.account)
    return made


def member(people: Cast, who: str) -> Member:
    return membership(getattr(people, who), people.account.slug)


def begun(people: Cast, text: str = NEWER, who: str = "petra") -> NoticeDraft:
    return editor.start(people.account, member(people, who).actor.reference, text)


def proposed(people: Cast, text: str = NEWER, who: str = "petra") -> NoticeDraft:
    draft = begun(people, text, who)
    return editor.propose(people.account, member(people, who), draft.pk, draft.revision)


def page(client: Client, people: Cast, path: str) -> str:
    return html.unescape(client.get(f"/{people.account.slug}/notice-editor/{path}").content.decode())


# Writing


def test_a_draft_begins_with_the_version_in_force(people: Cast) -> None:
    draft = editor.start(people.account, "member:1")
    assert (draft.text, draft.based_on, draft.state, draft.revision) == (notice_text(), 1, "draft", 1)
    assert draft.title == parse(notice_text()).title


def test_the_second_of_two_who_write_loses_nothing(people: Cast) -> None:
    draft = begun(people)
    first = editor.save(people.account, "member:1", draft.pk, NEWER + "\nOne.\n", draft.revision)
    second = editor.save(people.account, "member:2", draft.pk, NEWER + "\nTwo.\n", draft.revision)
    assert not first.split
    assert second.split
    kept = {one.pk: one for one in (editor_queries.draft(people.account, saved.draft.pk) for saved in (first, second))}
    assert kept[draft.pk].text.endswith("One.\n")
    assert kept[second.draft.pk].text.endswith("Two.\n")
    assert kept[second.draft.pk].split_from == draft.pk
    again = editor.save(people.account, "member:1", draft.pk, NEWER + "\nOne more.\n", first.draft.revision)
    assert not again.split


def test_what_is_written_while_it_is_proposed_becomes_a_draft_of_its_own(people: Cast) -> None:
    draft = proposed(people)
    late = editor.save(people.account, "member:1", draft.pk, NEWER + "\nLate.\n", draft.revision)
    assert late.split
    assert editor_queries.draft(people.account, draft.pk).text == NEWER


def test_the_page_of_the_second_shows_where_the_texts_differ(people: Cast) -> None:
    draft, alice = begun(people), client_for(people.alice)
    save = f"/{people.account.slug}/notice-editor/{draft.pk}/save/"
    client_for(people.petra).post(save, {"text": NEWER + "\nOne.\n", "revision": draft.revision})
    answer = alice.post(save, {"text": NEWER + "\nTwo.\n", "revision": draft.revision}, headers={"HX-Request": "true"})
    other = answer.headers["HX-Redirect"]
    assert other != f"/{people.account.slug}/notice-editor/{draft.pk}/"
    said = html.unescape(alice.get(other + "?pane=other").content.decode())
    assert "Two texts were written at one time" in said
    assert "<code>One.</code>" in said
    assert "<code>Two.</code>" in said


def test_an_automatic_save_answers_with_the_new_revision(people: Cast) -> None:
    draft = begun(people)
    form = {"text": NEWER + "\nMore.\n", "revision": draft.revision}
    answer = client_for(people.petra).post(f"/{people.account.slug}/notice-editor/{draft.pk}/save/", form, headers={"HX-Request": "true"})
    assert 'value="2" hx-swap-oob="true"' in answer.content.decode()


def test_the_one_form_is_a_button(people: Cast) -> None:
    crooked = NEWER.replace("categories = [", "categories =     [", 1)
    draft = begun(people, crooked)
    form = {"text": crooked, "revision": draft.revision, "format": "yes"}
    client_for(people.petra).post(f"/{people.account.slug}/notice-editor/{draft.pk}/save/", form)
    assert editor_queries.draft(people.account, draft.pk).text == formatted(crooked)


def test_a_control_character_is_refused_with_its_line(people: Cast) -> None:
    draft = begun(people)
    with pytest.raises(BadInput, match="not plain text") as refused:
        editor.save(people.account, "member:1", draft.pk, "one\ntwo\x1f", 1)
    assert "line 2" in refused.value.cure


def test_a_draft_of_another_account_is_not_there(people: Cast) -> None:
    draft = begun(people)
    with pytest.raises(NotFound):
        editor_queries.draft(people.other, draft.pk)
    assert client_for(people.charlie).get(f"/{people.account.slug}/notice-editor/{draft.pk}/").status_code == 404
    with_notice(people.other)
    assert client_for(people.charlie).get(f"/{people.other.slug}/notice-editor/{draft.pk}/").status_code == 404


# Two people


def test_one_proposes_and_another_approves_and_it_stands_in_the_ledger(people: Cast) -> None:
    draft = proposed(people)
    editor.approve(people.account, member(people, "alice"), draft.pk, "As we agreed.")
    made = editor.decide(people.account, member(people, "alice"), NEWER)
    assert made.text == NEWER
    assert editor_queries.draft(people.account, draft.pk).state == "activated"
    steps = editor_queries.steps(people.account, draft.pk)
    assert [(one.what, one.said) for one in reversed(steps)] == [("proposed", ""), ("approved", "As we agreed."), ("activated", "")]
    with bookkeeping(people.account.pk) as use:
        entries = [ledger.header_of(Entry.under(use).get(pk=one.entry)) for one in DraftStep.under(use).filter(draft=draft.pk)]
    assert {(one.kind, one.actor) for one in entries} == {
        ("account", member(people, "petra").actor.reference),
        ("account", member(people, "alice").actor.reference),
    }
    assert all(one.commitment and one.request == editor_reading.digest_of(NEWER)[:32] for one in entries)


@pytest.mark.parametrize("who", ["alice", "petra"])
def test_nobody_approves_or_rejects_what_they_proposed(people: Cast, who: str) -> None:
    draft = proposed(people, who=who)
    for verb in (editor.approve, editor.reject):
        with pytest.raises(NotPermitted, match="somebody else"):
            verb(people.account, member(people, who), draft.pk, "Mine.")
    client_for(getattr(people, who)).post(f"/{people.account.slug}/notice-editor/{draft.pk}/approval/", {"step": "approve"})
    assert editor_queries.draft(people.account, draft.pk).state == "proposed"


@pytest.mark.parametrize("who", ["bob", "rolf"])
def test_others_of_the_team_neither_write_nor_approve(people: Cast, who: str) -> None:
    draft = proposed(people)
    for verb in (editor.approve, editor.reject):
        with pytest.raises(NotPermitted, match="does not allow"):
            verb(people.account, member(people, who), draft.pk, "Mine.")
    with pytest.raises(NotPermitted):
        editor.propose(people.account, member(people, who), begun(people).pk, 1)


def test_alone_one_is_told_that_a_second_person_is_needed_and_how_to_invite_one(people: Cast) -> None:
    change_role(member(people, "petra"), Role.MEMBER)
    draft = proposed(people, who="alice")
    said = page(client_for(people.alice), people, f"{draft.pk}/")
    assert "A second person is needed" in said
    assert f"/{people.account.slug}/settings/members/#invite" in said
    with pytest.raises(NotPermitted) as refused:
        editor.approve(people.account, member(people, "alice"), draft.pk)
    assert "invite" in refused.value.cure


def test_no_text_comes_into_force_that_two_have_not_agreed_on(people: Cast) -> None:
    draft, alice = proposed(people), client_for(people.alice)
    new = f"/{people.account.slug}/promise-desk/versions/new/"
    said = html.unescape(alice.post(new, {"text": NEWER, "decide": "yes"}).content.decode())
    assert "once a second person has approved" in said
    assert not Activation.objects.filter(account_id=people.account.pk, text=NEWER).exists()
    editor.approve(people.account, member(people, "alice"), draft.pk)
    said = html.unescape(alice.get(f"{new}?draft={draft.pk}").content.decode())
    assert "Put it in force" in said
    alice.post(new, {"text": NEWER.replace("\n", "\r\n"), "decide": "yes"})
    assert Activation.objects.filter(account_id=people.account.pk, text=NEWER).exists()
    with pytest.raises(NotPermitted):
        editor.decide(people.account, member(people, "alice"), NEWER + "\n")


def test_a_text_with_errors_is_not_proposed(people: Cast) -> None:
    draft = begun(people, NEWER.replace('"customer-relations"', '"customer-relation"', 1))
    with pytest.raises(BadInput, match="finds errors"):
        editor.propose(people.account, member(people, "petra"), draft.pk, 1)
    same = begun(people, notice_text())
    with pytest.raises(BadInput, match="word for word"):
        editor.propose(people.account, member(people, "petra"), same.pk, 1)


def test_a_rejection_has_a_reason_and_the_draft_can_be_taken_up_again(people: Cast) -> None:
    draft, alice = proposed(people), member(people, "alice")
    with pytest.raises(BadInput, match="needs a reason"):
        editor.reject(people.account, alice, draft.pk, "  ")
    with pytest.raises(BadInput, match="refused everywhere"):
        editor.reject(people.account, alice, draft.pk, "4111 1111 1111 1111")
    assert editor.reject(people.account, alice, draft.pk, "Too soon.").state == "rejected"
    assert editor.reopen(people.account, member(people, "petra"), draft.pk).state == "draft"
    assert editor.withdraw(people.account, member(people, "petra"), draft.pk).state == "withdrawn"
    with pytest.raises(Conflict):
        editor.reopen(people.account, alice, draft.pk)


def test_an_approval_ends_when_somebody_goes_on_writing(people: Cast) -> None:
    draft = proposed(people)
    editor.approve(people.account, member(people, "alice"), draft.pk)
    editor.reopen(people.account, member(people, "petra"), draft.pk)
    with pytest.raises(NotPermitted):
        editor.decide(people.account, member(people, "alice"), NEWER)


# Another version meanwhile


def test_a_newer_version_is_a_conflict_until_somebody_has_looked_at_it(people: Cast) -> None:
    draft, waiting = begun(people), proposed(people)
    middle = notice_text().replace("within ten business days", "in ten business days")
    notices.activate(people.account, middle, "command:test")
    with pytest.raises(Conflict, match="Version 2 came into force"):
        editor.propose(people.account, member(people, "petra"), draft.pk, 1)
    with pytest.raises(Conflict, match="Version 2 came into force"):
        editor.approve(people.account, member(people, "alice"), waiting.pk)
    said = page(client_for(people.petra), people, f"{draft.pk}/")
    assert "Version 2 came into force since this draft was begun" in said
    assert "in ten business days" in said
    client_for(people.petra).post(f"/{people.account.slug}/notice-editor/{draft.pk}/step/", {"step": "rebase"})
    assert editor_queries.draft(people.account, draft.pk).based_on == 2
    assert editor.propose(people.account, member(people, "petra"), draft.pk, 1).state == "proposed"


def test_an_approved_text_is_not_put_over_a_version_that_nobody_compared_it_with(people: Cast) -> None:
    draft = proposed(people)
    editor.approve(people.account, member(people, "alice"), draft.pk)
    notices.activate(people.account, notice_text().replace("within ten business days", "in ten business days"), "command:test")
    with pytest.raises(Conflict, match="Version 2"):
        editor.decide(people.account, member(people, "alice"), NEWER)


# What is made of a text


def look(people: Cast, text: str, pane: str = "read", **form: str) -> str:
    draft = begun(people)
    path = f"/{people.account.slug}/notice-editor/{draft.pk}/look/"
    answer = client_for(people.petra).post(path, {"text": text, "pane": pane, **form}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_findings_lead_to_their_line(people: Cast) -> None:
    wrong = NEWER.replace('"customer-relations"', '"customer-relation"', 1)
    line = next(n for n, one in enumerate(wrong.split("\n"), 1) if '"customer-relation"' in one)
    said = look(people, wrong)
    assert f'data-line="{line}"' in said
    assert "1 error" in said
    assert "We never take card numbers" in said, "the prose is shown whatever is wrong"


def test_a_text_that_is_no_notice_at_all_is_shown_too(people: Cast) -> None:
    for text in ("", "Only words.", "```rule\nnot toml\n```\n", "# A\n\n```rule\nchoice = 3\n```"):
        for pane in ("read", "change", "decide", "other"):
            assert 'id="verdict"' in look(people, text, pane, purpose="direct-marketing")


def test_the_effect_is_told_against_the_version_in_force(people: Cast) -> None:
    said = look(people, NEWER, "change")
    assert "against version 1" in said
    assert "within five business days" in said
    assert "Nothing changes in effect" in look(people, notice_text().replace("Thank you", "Thanks"), "change")


def test_may_they_write_to_a_californian_who_opted_out(people: Cast) -> None:
    person = {"purpose": "direct-marketing", "category": "email", "region": "US-CA"}
    silent = look(people, notice_text(), "decide", **person)
    assert "May <b>" in silent
    assert "<b>Yes</b>" in silent
    assert "<b>No</b>" not in silent
    opted = look(people, notice_text(), "decide", **person, about0="direct-marketing", said0="opted-out")
    assert "<b>No</b>" in opted
    assert "choice:marketing-mail" in opted
    *_general, local = (n for n, one in enumerate(notice_text().split("\n"), 1) if one.startswith('choice = "marketing-mail"'))
    assert f'data-line="{local}"' in opted, "the supplement's rule is the one that decides"


def test_the_draft_and_the_version_in_force_answer_side_by_side(people: Cast) -> None:
    shut = notice_text().replace('US = "opt-out"', 'US = "consent"').replace('US-CA = "opt-out"', 'US-CA = "consent"')
    assert shut != notice_text()
    said = look(people, shut, "decide", purpose="direct-marketing", region="US-CA")
    assert "The draft decides otherwise" in said
    assert said.index("This draft") < said.index("Version 1, in force")


@pytest.mark.parametrize(
    ("form", "cure"),
    [
        ({"region": "US-CX"}, "Did you mean US-"),
        ({"category": "fone"}, "Did you mean"),
        ({"age": "old"}, "whole years"),
    ],
)
def test_a_word_that_the_case_does_not_know_is_named(people: Cast, form: dict[str, str], cure: str) -> None:
    assert cure in look(people, notice_text(), "decide", purpose="direct-marketing", **form)


def test_a_child_is_answered_as_one(people: Cast) -> None:
    assert "age:" in look(people, notice_text(), "decide", purpose="customer-relations", age="12")
    assert "<b>Yes</b>" in look(people, notice_text(), "decide", purpose="customer-relations", age="40")


def test_a_comparison_shows_the_lines_and_a_little_around_them() -> None:
    before = "\n".join(f"line {n}" for n in range(1, 41))
    shown = editor_reading.lines(before, before.replace("line 20", "twenty"))
    assert [(one.kind, one.old, one.new) for one in shown] == [
        ("skip", None, None),
        ("same", 18, 18),
        ("same", 19, 19),
        ("gone", 20, None),
        ("new", None, 20),
        ("same", 21, 21),
        ("same", 22, 22),
    ]
    assert editor_reading.lines(before, before) == []


def test_pages_say_nothing_in_scripts_or_styles(people: Cast) -> None:
    draft = begun(people, NEWER + "\n\n<script>alert(1)</script>\n")
    said = client_for(people.petra).get(f"/{people.account.slug}/notice-editor/{draft.pk}/").content.decode()
    assert "<script>alert" not in said
    assert "style=" not in said
    assert json.dumps("<script>")[1:-1] not in said
