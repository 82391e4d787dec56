"""What the columns of a file can be, how their headers tell, and which of them the notice lets in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as later

from kept.core.errors import BadInput, Refused
from kept.core.notice import Policy
from kept.core.notice.terms import CollectTerms
from kept.core.notice.vocabulary import BASES, CUSTOMERS_BASIS

SOURCE = "import"
"""The vocabulary's term for where imported values come from."""

STATED = {name: basis for name, basis in BASES.items() if name != CUSTOMERS_BASIS}
"""The bases an importer may state: who acts on instruction states that of whoever instructs."""


@dataclass(frozen=True)
class Target:
    """What a column can be. `several`: more than one column may be it."""

    id: str
    label: Promise
    category: str
    names: str
    several: bool = False


TARGETS: Mapping[str, Target] = {
    target.id: target
    for target in (
        Target(
            "source_id",
            later("Number in the source"),
            "source-identifier",
            "id rec_id record_id source_id external_id customer_id customer_no "
            "customer_number client_id contact_id person_id kundennummer numero_client",
        ),
        Target(
            "given_name", later("Given name"), "name", "given_name first_name firstname forename christian_name fname vorname prenom nombre"
        ),
        Target("family_name", later("Family name"), "name", "family_name surname last_name lastname lname nachname nom apellido apellidos"),
        Target("full_name", later("Full name"), "name", "name full_name fullname contact contact_name display_name customer_name"),
        Target(
            "email",
            later("Email address"),
            "email",
            "email e_mail email_address e_mail_address mail mail_address emailaddress "
            "work_email home_email private_email email_1 email_2 e_mail_1_value",
            several=True,
        ),
        Target(
            "phone",
            later("Telephone number"),
            "phone",
            "phone phone_number telephone telephone_number tel mobile mobile_phone "
            "mobile_number cell cell_phone work_phone home_phone business_phone telefon telefonnummer handy phone_1 phone_2",
            several=True,
        ),
        Target(
            "company",
            later("Company"),
            "organisation",
            "company company_name organisation organization organisation_name organization_name "
            "employer firm firma account_name societe empresa",
        ),
        Target("job_title", later("Job title"), "job-title", "job_title job title position role occupation beruf"),
        Target("birth_date", later("Date of birth"), "birth-date", "date_of_birth birth_date birthdate dob birthday born geburtsdatum"),
        Target("street_number", later("House number"), "postal-address", "street_number house_number house_no hausnummer"),
        Target(
            "street",
            later("Street"),
            "postal-address",
            "street street_address address address_1 address_2 address_3 address1 address2 "
            "address_line_1 address_line_2 address_line1 address_line2 street_1 street_2 strasse rue",
            several=True,
        ),
        Target("city", later("Town or city"), "postal-address", "city town suburb locality post_town ort stadt ville ciudad"),
        Target("state", later("County, state or region"), "postal-address", "state county province region"),
        Target("postcode", later("Postcode"), "postal-address", "postcode post_code postal_code zip zip_code zipcode plz code_postal"),
        Target("country", later("Country"), "postal-address", "country country_code country_name land pays"),
    )
}
IDENTIFYING = ("source_id", "email", "phone")
"""What a person can be recognised by, and kept away by after erasure."""
_BY_NAME = {name: target.id for target in TARGETS.values() for name in target.names.split()}


@dataclass(frozen=True)
class Closed:
    """A column that the notice does not let in, with the rule that closes it or would open it."""

    name: str
    category: str
    rule: str
    text: str


def named(header: str) -> str:
    """A header reduced to its words: " First-Name " and "firstName" are ``first_name``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    return "_".join(re.findall(r"[^\W_]+", spaced.lower()))


def guess(names: Sequence[str], policy: Policy) -> tuple[dict[str, str], list[Closed]]:
    """What the headers say the columns are, and the columns among them that the notice does not let in."""
    mapping: dict[str, str] = {}
    closed: list[Closed] = []
    for name in names:
        target = TARGETS.get(_BY_NAME.get(named(name), ""))
        if target is None or (not target.several and target.id in mapping.values()):
            continue
        shut = why_closed(policy, name, target)
        if shut is None:
            mapping[name] = target.id
        else:
            closed.append(shut)
    if "given_name" in mapping.values() or "family_name" in mapping.values():
        mapping = {name: target for name, target in mapping.items() if target != "full_name"}
    return mapping, closed


def why_closed(policy: Policy, name: str, target: Target) -> Closed | None:
    """Why this column may not come in; None when it may."""
    said = policy.may_collect(target.category, SOURCE)
    if said.allowed:
        return None
    if said.because:
        return Closed(name, target.category, said.because[0], f"{said.because[0]} refuses {target.category} at every inlet.")
    inlets = policy.collect_for(SOURCE)
    rule = inlets[0].rule.name if inlets else "collect:import"
    text = f'No rule lets {target.category} in from a file. A rule {rule} with from = "{SOURCE}" that lists {target.category} would.'
    return Closed(name, target.category, rule, text)


def check_mapping(names: Sequence[str], given: Mapping[str, str], policy: Policy) -> dict[str, str]:
    """The mapping by header as given, once it is sound. Raises BadInput, and Refused for what the notice does not let in."""
    known = {named(name): name for name in names}
    mapping: dict[str, str] = {}
    for header, target_id in given.items():
        name = header if header in names else known.get(named(header))
        if name is None:
            raise BadInput("The mapping names a column that the file lacks.", place=header, cure=f"The file has: {', '.join(names)}.")
        if not target_id:
            continue
        target = TARGETS.get(target_id)
        if target is None:
            raise BadInput(f"Nothing is called “{target_id}”.", place=header, cure=f"Use one of: {', '.join(TARGETS)}; or leave it empty.")
        if not target.several and target_id in mapping.values():
            raise BadInput(f"Two columns are to be “{target_id}”.", place=header, cure="Choose one of them.")
        if (shut := why_closed(policy, name, target)) is not None:
            raise Refused(shut.text, place=name, rule=shut.rule, cure="Leave the column out, or change the notice first.")
        mapping[name] = target_id
    return mapping


def require_identifier(mapping: Mapping[str, str]) -> None:
    """Raise BadInput unless some column can tell people apart."""
    if not set(mapping.values()) & set(IDENTIFYING):
        raise BadInput(
            "No column says who a person is, so nobody could be recognised, nor kept away once erased.",
            place="mapping",
            cure=f"Say which column is one of: {', '.join(IDENTIFYING)}.",
        )


def inlet(policy: Policy, mapping: Mapping[str, str]) -> CollectTerms:
    """The notice's rule that lets these columns in: the one that lists most of their categories. Raises Refused."""
    wanted = {TARGETS[target].category for target in mapping.values()}
    inlets = policy.collect_for(SOURCE)
    if not inlets:
        raise Refused(
            "The notice lets nothing in from a file.",
            rule="collect:import",
            cure=f'Add to the notice, under a sentence that says so: a collect rule with from = "{SOURCE}".',
        )
    return max(inlets, key=lambda one: len(wanted & one.categories))


def check_origin(terms: CollectTerms, source: str, basis: str) -> None:
    """Raise BadInput unless source and basis are stated (both always, for provenance needs them) and the basis is one of the law's."""
    if not source.strip() or len(source) > 200:
        raise BadInput(
            "It is not said where this data is from.", place="source", cure="Say it in at most 200 characters.", rule=terms.rule.name
        )
    if basis not in STATED:
        cure = f"Use one of: {', '.join(STATED)}."
        raise BadInput("The lawful basis is not stated.", place="basis", cure=cure, rule=terms.rule.name)
    if "consent" in terms.attest and BASES[basis].choice != "gives":
        cure = "Load only people who agreed, and state that."
        raise BadInput("This data may come in with the person's consent alone.", place="basis", cure=cure, rule=terms.rule.name)
