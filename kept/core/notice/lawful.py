"""The findings `law` of `check`: where a notice promises less than the laws that it names ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kept.core.notice import law
from kept.core.notice.compiling import told_apart
from kept.core.notice.durations import Duration
from kept.core.notice.findings import Finding
from kept.core.notice.law import (
    Age,
    Answer,
    AskAgain,
    Clock,
    Fence,
    Indefinite,
    Keep,
    Mechanism,
    Offer,
    OptIn,
    OptOut,
    Outside,
    Proof,
    Recording,
    Ways,
)
from kept.core.notice.model import Notice, Rule
from kept.core.notice.policy import Policy
from kept.core.notice.rules import (
    DEFAULT,
    MAJORITY,
    AgeBody,
    CollectBody,
    DiscloseBody,
    LimitBody,
    NoticeBody,
    RetainBody,
    RightBody,
    RoleBody,
    TransferBody,
    pick,
)
from kept.core.notice.terms import ChoiceTerms

_CERTAINTY = {"none": 0, "link": 1, "match-2": 2, "match-3": 3, "sign-in": 3, "human": 3}
"""How surely each way of proving who asks tells people apart; signing in counts as facts matched do, and so does somebody who looks."""


def lawful(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Where the notice falls short of its laws, each finding once, at the key that says too little."""
    regions = [one for one in told_apart(notice) if one != DEFAULT]
    found = [one for find in _BY_REGION for region in regions for one in find(notice, policy, region)]
    yield from dict.fromkeys([*found, *(one for find in _EVERYWHERE for one in find(notice, policy))])


def _longer(stated: Duration | None, asked: Duration) -> bool:
    return stated is not None and stated.days_at_most > asked.days_at_most


def _own_rights(notice: Notice, region: str) -> list[tuple[Rule, RightBody]]:
    """The rights we answer ourselves: those of customers' data are theirs to answer, under their laws."""
    return [(rule, body) for rule, body in notice.saying(RightBody, region) if body.data == "own"]


# Rights


def _late_answers(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """A right is answered or confirmed later than the law allows, or put off for longer."""
    for entry in law.saying(Clock, notice.identity.law, region):
        for rule, body in _own_rights(notice, region):
            if body.kind not in entry.rights:
                continue
            if _longer(body.within, entry.within):
                message = f"{rule.name} is answered within {body.within}, and the law asks for {entry.within} ({entry.citation})"
                yield notice.finding(rule, "law", message, f'Write within = "{entry.within}" or less.', "within")
            if body.extend and (entry.extend is None or _longer(body.extend, entry.extend)):
                allows = f"allows {entry.extend}" if entry.extend else "does not allow that"
                message = f"{rule.name} may be put off by {body.extend}, and the law {allows} ({entry.citation})"
                cure = f'Write extend = "{entry.extend}" or less.' if entry.extend else "Leave `extend` out."
                yield notice.finding(rule, "law", message, cure, "extend")
            if entry.confirm_within and _longer(body.confirm_within, entry.confirm_within):
                asks = f"the law asks for {entry.confirm_within} ({entry.citation})"
                message = f"{rule.name} is confirmed within {body.confirm_within}, and {asks}"
                yield notice.finding(rule, "law", message, f'Write confirm_within = "{entry.confirm_within}" or less.', "confirm_within")


def _missing_rights(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """A right that the law gives is not offered. Who only acts for others leaves that to them."""
    if notice.saying(RoleBody) and not any(body.is_ == "controller" for _, body in notice.saying(RoleBody)):
        return
    offered: set[str] = {body.kind for _, body in _own_rights(notice, region)}
    if any(pick(body.authority, region) for _, body in notice.saying(NoticeBody, region)):
        offered.add("complain")
    for entry in law.saying(Offer, notice.identity.law, region):
        if offered.isdisjoint(entry.rights) and _called_for(entry, notice, policy, region):
            message = f"nothing offers the right {' or '.join(entry.rights)} ({entry.citation})"
            cure = f'Add a rule: right = "…", kind = "{entry.rights[-1]}".'
            yield notice.finding(notice.rules[0], "law", message, cure, "law", value=entry.pack)


def _called_for(entry: Offer, notice: Notice, policy: Policy, region: str) -> bool:
    """Whether something is done with data that calls for this right."""
    terms, tree = policy.region(region), notice.vocabulary["purpose"]
    outlets = [body for _, body in notice.saying(DiscloseBody, region)]
    match entry.when:
        case "portable":
            return any(policy.basis(one, region) in ("consent", "explicit-consent", "contract") for one in terms.clauses)
        case "interest":
            governed = {one for choice in terms.choices.values() for one in choice.governs}
            return any(clause.choice == "refuses" and one not in governed for one, clause in terms.clauses.items())
        case "sale":
            return any(body.sale or body.share for body in outlets)
        case "sensitive":
            sensitive = {term.id for term in notice.vocabulary["category"].all.values() if term.sensitive}
            reading = (policy.purposes[one] for one in terms.clauses if one in tree.under(*entry.purposes))
            return any(not purpose.categories.isdisjoint(sensitive) for purpose in reading)
        case "disclosed":
            wanted = tree.under(*entry.purposes)
            return any(body.as_ == "controller" and not wanted.isdisjoint(tree.under(*body.for_)) for body in outlets)
        case "always":
            return True


def _proofs(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """A person proves less than the law asks before an answer, or more than it lets a notice ask."""
    for entry in law.saying(Proof, notice.identity.law, region):
        for rule, body in _own_rights(notice, region):
            for proof in body.verify if body.kind in entry.rights else ():
                if entry.most and _CERTAINTY[proof] > _CERTAINTY[entry.most]:
                    message = f"{rule.name} asks for proof by {proof}, and the law does not let it ({entry.citation})"
                    yield notice.finding(rule, "law", message, f'Write verify = "{entry.most}".', "verify", value=proof)
                if entry.least and _CERTAINTY[proof] < _CERTAINTY[entry.least]:
                    message = f"{rule.name} takes {proof} for proof, and the law measures by {entry.least} ({entry.citation})"
                    cure = f'Write verify = "{entry.least}" or "sign-in".'
                    yield notice.finding(rule, "law", message, cure, "verify", value=proof, warning=proof != "none")


def _answers(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """An answer costs, comes more seldom or holds less than the law asks."""
    for entry in law.saying(Answer, notice.identity.law, region):
        for rule, body in _own_rights(notice, region):
            if body.kind not in entry.rights:
                continue
            if body.fee and body.fee.free < entry.free:
                message = f"{rule.name} gives {body.fee.free} free, and the law asks for {entry.free} ({entry.citation})"
                yield notice.finding(rule, "law", message, f"Write free = {entry.free} or more.", "fee", "free")
            if entry.once_per and isinstance(body.once_per, Duration) and _longer(body.once_per, entry.once_per):
                message = f"{rule.name} is answered once per {body.once_per}, and the law asks for {entry.once_per} ({entry.citation})"
                yield notice.finding(rule, "law", message, f'Write once_per = "{entry.once_per}" or less.', "once_per")
            missing = [one for one in entry.contents if body.contents and one not in body.contents]
            if missing:
                message = f"{rule.name} leaves out {' and '.join(missing)}, which the law asks for ({entry.citation})"
                yield notice.finding(rule, "law", message, f"Add {', '.join(missing)}.", "contents")


def _left_out(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """A right is not given to somebody to whom the law gives it. A warning: another notice may give it to them."""
    for pack in notice.identity.law:
        entries = list(law.saying(Outside, (pack,), region))
        effective = notice.identity.effective
        may = {one for entry in entries if entry.until is None or effective < entry.until for one in entry.whom}
        given = {one for entry in law.saying(Offer, (pack,), region) for one in entry.rights}
        for rule, body in _own_rights(notice, region):
            for one in body.not_for if entries and body.kind in given else ():
                if one not in may:
                    lapsed = next((entry for entry in entries if one in entry.whom), None)
                    since = f": its exception ended on {lapsed.until} ({lapsed.citation})" if lapsed else f" ({entries[0].citation})"
                    message = f"{rule.name} is not for {one}, and {pack} gives it to them{since}"
                    cure = f"Leave {one} out, unless another notice gives it to them."
                    yield notice.finding(rule, "law", message, cure, "not_for", value=one, warning=True)


# Ages


def _ages(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Data of children is taken on younger than the law lets them be, in any country whose age it knows."""
    for pack in notice.identity.law:
        for of in ("consent", "everything"):
            entries = [entry for entry in law.saying(Age, (pack,)) if entry.of == of]
            low: dict[str, list[tuple[Rule, str, Age]]] = {}
            for where in dict.fromkeys(region for entry in entries for region in entry.regions):
                asked, (years, rule) = law.age((pack,), of, where), _minimum(notice, where)
                consents = any(clause.choice == "gives" for clause in policy.region(where).clauses.values())
                # Nobody need state an age for consent: without one, nobody is taken for a child.
                called_for = rule is not notice.rules[0] and consents if of == "consent" else True
                if asked and called_for and years < asked.years:
                    low.setdefault(rule.name, []).append((rule, where, asked))
            for found in low.values():
                yield _too_young(notice, pack, found)


def _minimum(notice: Notice, where: str) -> tuple[int, Rule]:
    """The highest age asked for in a region, and its rule; 0 and the notice itself where there is none."""
    ages = [(pick(body.minimum, where), rule) for rule, body in notice.saying(AgeBody, where) if not body.on]
    years = [(law.majority(where) if age == MAJORITY else age, rule) for age, rule in ages if age is not None]
    return max(years, key=lambda one: one[0], default=(0, notice.rules[0]))


def _too_young(notice: Notice, pack: str, found: Sequence[tuple[Rule, str, Age]]) -> Finding:
    rule, _, entry = max(found, key=lambda one: one[2].years)
    if rule is notice.rules[0]:
        message = f"nothing keeps children under {entry.years} out ({entry.citation})"
        cure = f'Add a rule: age = "…", minimum = {entry.years}, below = "refuse".'
        return notice.finding(rule, "law", message, cure, "law", value=pack)
    places = ", ".join(f"{asked.years} in {where}" for _, where, asked in found)
    message = f"{rule.name} is lower than the law asks: {places} ({entry.citation})"
    return notice.finding(rule, "law", message, "Raise `minimum` there, or everywhere.", "minimum")


# Choices


def _slow_opt_outs(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """An opt-out counts later than the law asks, or later than those who carry mail ask, which is a warning."""
    for choice in policy.region(region).choices.values():
        asked = [one for one in law.saying(OptOut, notice.identity.law, region) if _moves(notice, choice, one.of)]
        asked = [one for one in asked if choice.channel is None or not one.channels or choice.channel in one.channels]
        slow = [(entry, key) for entry in asked if (key := _too_slow(choice, entry.within))]
        broken = [one for one in slow if not one[0].practice]
        for entry, key in broken or slow:
            goes_on = f" and goes on for {choice.body.tail}" if key == "tail" else ""
            asks = "those who carry mail ask" if entry.practice else "the law asks"
            message = (
                f"{choice.rule.name} counts after {choice.effective_within}{goes_on}, and {asks} for {entry.within} ({entry.citation})"
            )
            cure = f'Write effective_within = "{entry.within}" or less, the tail included.'
            yield notice.finding(choice.rule, "law", message, cure, key, warning=entry.practice)


def _too_slow(choice: ChoiceTerms, within: Duration) -> str:
    """The key that makes it too slow, or nothing."""
    if _longer(choice.effective_within, within):
        return "effective_within"
    tail = choice.body.tail
    late = tail is not None and choice.effective_within.days_at_most + tail.days_at_most > within.days_at_most
    return "tail" if late else ""


def _moves(notice: Notice, choice: ChoiceTerms, named: tuple[str, ...]) -> bool:
    """Whether a choice moves one of these purposes, or of these markets a disclosure that is one."""
    tree = notice.vocabulary["purpose"]
    governed = tree.under(*(one for one in choice.body.governs if one in tree))
    sold = {f"disclose:{rule.id}" for rule, body in notice.saying(DiscloseBody) if _markets(body).intersection(named)}
    return not governed.isdisjoint(tree.under(*(one for one in named if one in tree))) or not sold.union(named).isdisjoint(choice.moves)


def _markets(body: DiscloseBody) -> set[str]:
    return {word for word, marked in (("sale", body.sale), ("sharing", body.share)) if marked}


def _asked_again(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """Who opted out is asked again sooner than the law allows."""
    for entry in law.saying(AskAgain, notice.identity.law, region):
        for choice in policy.region(region).choices.values():
            after = choice.body.ask_again_after
            if after is not None and _longer(entry.after, after) and _moves(notice, choice, entry.of):
                message = f"{choice.rule.name} asks again after {after}, and the law asks to wait {entry.after} ({entry.citation})"
                yield notice.finding(choice.rule, "law", message, f'Write ask_again_after = "{entry.after}".', "ask_again_after")


def _ways_out(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """Data is sold or shared, and there are too few ways to opt out of that, or the signal is none of them."""
    for entry in law.saying(Ways, notice.identity.law, region):
        for rule, body in notice.saying(DiscloseBody, region):
            markets = _markets(body).intersection(entry.of)
            if not markets:
                continue
            key = "sale" if "sale" in markets else "share"
            out_of = markets.union((f"disclose:{rule.id}",))
            choices = [one for one in policy.region(region).choices.values() if not out_of.isdisjoint(one.moves)]
            ways = {way for one in choices for way in one.body.ways}
            signals = {signal for one in choices for signal in one.body.signals}
            at = choices[0].rule if choices else rule
            if entry.signal not in signals:
                message = f"{rule.name} is {_in_words(markets)}, and {entry.signal} does not opt out of it ({entry.citation})"
                cure = f'Write signals = ["{entry.signal}"] in a choice that governs "{min(markets)}".'
                yield notice.finding(at, "law", message, cure, "signals" if choices else key)
            counted = ways.difference(entry.not_alone, ("signal",)) | signals.intersection((entry.signal,))
            if len(counted) < entry.count and entry.signal in signals:
                alone = f"; {' and '.join(sorted(ways.intersection(entry.not_alone)))} does not count" if ways & {*entry.not_alone} else ""
                asks = f"{len(counted)} of {entry.count} ways to opt out{alone} ({entry.citation})"
                message = f"{rule.name} is {_in_words(markets)}, and there are {asks}"
                yield notice.finding(at, "law", message, 'Add a way such as "link", "email" or "phone".', "ways")


def _in_words(markets: set[str]) -> str:
    return " and ".join({"sale": "a sale", "sharing": "sharing"}[one] for one in sorted(markets))


def _on_before_consent(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """Something stands on before a person said yes, where the law asks for consent."""
    clauses = policy.region(region).clauses
    for entry in law.saying(OptIn, notice.identity.law, region):
        for choice in policy.region(region).choices.values():
            trackers = any(one.startswith("tracker:") for one in choice.moves)
            # Beside recipients and trackers `default` is about those: no purpose that rests on consent opens by it.
            consents = not choice.moves and any(one in clauses and clauses[one].choice == "gives" for one in choice.governs)
            stands = pick(choice.body.default, region)
            if stands in ("in", "implied") and (trackers if entry.of == "tracker" else consents):
                message = f"{choice.rule.name} stands on before anybody chose, and the law asks for consent ({entry.citation})"
                cure = f'Write "out" for {" and ".join(entry.regions)}.'
                yield notice.finding(choice.rule, "law", message, cure, "default", value=stands)


# Where data goes, and where it comes from


def _outlets_abroad(notice: Notice, policy: Policy, region: str) -> Iterator[Finding]:
    """A recipient is protected by a mechanism that admits nothing when the notice takes effect."""
    for rule, body in notice.saying(DiscloseBody, region):
        lapsed = _lapsed(notice, body.safeguard, region) if body.safeguard else None
        if lapsed:
            message = f"{rule.name} rests on {body.safeguard}, which is not valid on {notice.identity.effective} ({lapsed.citation})"
            yield notice.finding(rule, "law", message, 'Write another safeguard, such as "scc".', "safeguard")


def _transfers(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """None of the mechanisms of a transfer admits anything when the notice takes effect."""
    for rule, body in notice.saying(TransferBody):
        for region in body.from_:
            lapsed = [_lapsed(notice, one.by, region) for one in body.allow]
            if all(lapsed):
                message = f"{rule.name} lets data leave {region} by {' or '.join(one.by for one in body.allow)} alone"
                message += f", not valid on {notice.identity.effective} ({next(one.citation for one in lapsed if one)})"
                yield notice.finding(rule, "law", message, 'Allow another mechanism, such as "scc".', "allow")


def _lapsed(notice: Notice, by: str, region: str) -> Mechanism | None:
    """Why a mechanism does not admit data from a region when the notice takes effect; None where it does."""
    periods, day = law.mechanisms(by, region), notice.identity.effective
    valid = any(one.since <= day and (one.until is None or day < one.until) for one in periods)
    return None if valid or not periods else periods[-1]


def _fenced(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Data from a source that its provider fences comes in, and no limit of the notice says so."""
    tree = notice.vocabulary["source"]
    for entry in law.saying(Fence, notice.identity.law):
        for rule, body in notice.saying(CollectBody):
            if body.from_ not in tree.under(*entry.sources):
                continue
            limits = [
                (limit, said)
                for limit, said in notice.saying(LimitBody)
                if not said.applies_to.category and not said.applies_to.records and body.from_ in tree.under(*said.applies_to.source)
            ]
            for never in entry.never:
                if not any(_keeps_from(notice, said, never) for _, said in limits):
                    message = f"no limit keeps what comes from {body.from_} from {never} ({entry.citation})"
                    cure = f'Add to a limit on that source: never = ["{never}"].'
                    yield notice.finding(rule, "law", message, cure, "from")
            if not any(said.humans and set(said.humans.only_when) <= set(entry.humans) for _, said in limits):
                message = f"no limit says when people may read what comes from {body.from_} ({entry.citation})"
                grounds = ", ".join(f'"{one}"' for one in entry.humans)
                cure = f"Add to a limit on that source: humans = {{ only_when = [{grounds}] }}."
                yield notice.finding(rule, "law", message, cure, "from")
            for limit, said in limits:
                if not said.applies_to.derived:
                    message = f"{limit.name} ends at what is derived, and the fence does not ({entry.citation})"
                    yield notice.finding(limit, "law", message, "Leave `derived` out.", "applies_to", "derived")


def _keeps_from(notice: Notice, limit: LimitBody, never: str) -> bool:
    """Whether a limit keeps data from a purpose with all under it, or from a market. Where nothing is sold, no limit is needed."""
    tree = notice.vocabulary["purpose"]
    if never not in tree:
        sold = any(_markets(body) for _, body in notice.saying(DiscloseBody))
        return never in limit.never or not sold
    family = tree.under(never)
    named = family <= tree.under(*(one for one in limit.never if one in tree))
    return named or (limit.only_purposes is not None and family.isdisjoint(tree.under(*limit.only_purposes)))


def _recordings(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Calls are recorded where all on the line must agree, and nobody is asked or told."""
    family = notice.vocabulary["category"].under("call-recording")
    all_parties = [entry for entry in law.saying(Recording, notice.identity.law) if entry.consent == "all" and entry.confirmed]
    for rule, body in notice.saying(CollectBody):
        recorded = [one for one in body.categories if one in family]
        if recorded and all_parties and not body.shows and family.isdisjoint(body.consent) and "consent" not in body.attest:
            first, places = all_parties[0], ", ".join(entry.regions[0] for entry in all_parties)
            message = f"{rule.name} records calls, and all on the line must agree in {places} ({first.citation})"
            cure = f'Write shows = ["This call is recorded."], or consent = {{ {recorded[0]} = "…" }}.'
            yield notice.finding(rule, "law", message, cure, "categories", value=recorded[0])


# How long data stays


def _kept_too_short(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Records go before the law lets them."""
    tree = notice.vocabulary["record"]
    for entry in law.saying(Keep, notice.identity.law):
        for terms in policy.retains:
            if not tree.under(*entry.records).isdisjoint(tree.under(*terms.records)) and _longer(entry.at_least, terms.keep):
                kept = f"{terms.rule.name} keeps {', '.join(terms.records)} for {terms.keep}"
                message = f"{kept}, and the law asks for {entry.at_least} ({entry.citation})"
                yield notice.finding(terms.rule, "law", message, f'Write keep = "{entry.at_least}" or more.', "keep")


def _kept_for_ever(notice: Notice, policy: Policy) -> Iterator[Finding]:
    """Children are served, and something is kept with no time stated."""
    if not any(body.below == "parental-consent" for _, body in notice.saying(AgeBody)):
        return
    for entry in law.saying(Indefinite, notice.identity.law):
        for rule, body in notice.saying(RetainBody):
            if any(one.unit == "until withdrawn" for one in body.keep):
                message = f"{rule.name} states no time, and children's data is not kept for ever ({entry.citation})"
                yield notice.finding(rule, "law", message, 'Write a time, such as keep = "2 years".', "keep")


_BY_REGION: tuple[Callable[[Notice, Policy, str], Iterator[Finding]], ...] = (
    _late_answers,
    _missing_rights,
    _proofs,
    _answers,
    _left_out,
    _slow_opt_outs,
    _asked_again,
    _ways_out,
    _on_before_consent,
    _outlets_abroad,
)
_EVERYWHERE: tuple[Callable[[Notice, Policy], Iterator[Finding]], ...] = (
    _ages,
    _transfers,
    _fenced,
    _recordings,
    _kept_too_short,
    _kept_for_ever,
)
