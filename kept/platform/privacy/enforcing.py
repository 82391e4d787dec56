"""What the platform itself enforces, module by module, and how. Rooms say what they enforce when they start.

A key, or one word of it, stands here only where the code of that module keeps the opposite from happening today. What is missing is
missing on purpose: `Registry.unbound` names it, and the proof of a rule that needs it says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from kept.platform.privacy.registry import registry

_PRIVACY = "kept.platform.privacy"

ENFORCERS: Mapping[str, tuple[str, ...]] = {
    # A version is checked before it is in force; what people must be told, when, and whose agreement it waits for.
    f"{_PRIVACY}.versions": (
        *("notice", "change", "change.material", "change.tell", "change.tell_any", "change.before", "change.accept"),
        *("change.reduce_rights", "purpose.additional"),
    ),
    # Who acts, and under which purpose: nobody without one, the operator's staff not without a paper, a purpose not without its own.
    f"{_PRIVACY}.gate": ("role", "role.is", "role.except=instruction", "role.except=legal-order", "purpose", "purpose.needs"),
    # The database itself: columns by the purpose's categories, rows by the person's mask and the value's fence.
    "kept.platform.data.guard": ("purpose.categories", "limit.humans"),
    # The mask of every person, from the lawful basis in their region, their words and their age.
    f"{_PRIVACY}.masks": (
        "purpose.basis",
        "choice.governs=purpose",
        "choice.channel",
        "age",
        "age.below=refuse",
        "age.below=parental-consent",
        "right.while=store",
        "right.while=consent",
    ),
    # What is restricted, read of one person on a stated ground.
    f"{_PRIVACY}.restricted": ("right.while=claims", "right.while=others-rights", "right.while=public-interest"),
    # A word is in force with the transaction that enters it.
    f"{_PRIVACY}.choices": ("choice", "choice.effective_within"),
    # Every value on its way in: refused by category and by content, cut, fenced, sealed.
    f"{_PRIVACY}.values": (
        *("category", "collect.held_by", "secure", "secure.seal"),
        *("limit", "limit.refuse", "limit.only_purposes", "limit.never=purpose", "limit.truncate"),
    ),
    # Each occasion on which something comes in names a source of the notice.
    f"{_PRIVACY}.provenance": ("source",),
    # The one outlet: recipient, purpose, categories, ground, paper, choice, figures only, mechanism abroad.
    f"{_PRIVACY}.disclosures": (
        *("disclose", "disclose.categories", "disclose.for", "disclose.agreement", "disclose.form", "disclose.sale", "disclose.share"),
        *("disclose.needs", "disclose.grounds", "transfer", "transfer.allow"),
        *("limit.only_recipients", "limit.never=sale", "limit.never=sharing"),
        *("choice.governs=disclose", "choice.governs=sale", "choice.governs=sharing"),
    ),
    # Figures about groups pass the group test, one by one and together.
    f"{_PRIVACY}.aggregates": ("limit.min_group",),
    # Each night, what is past its date by a clock that a room keeps.
    f"{_PRIVACY}.retention": ("retain", "retain.keep", "retain.then=erase", "retain.then=nullify"),
    # Each night, whoever is found to be too young.
    f"{_PRIVACY}.children": ("age.on_discovery=erase", "age.on_discovery=restrict", "age.delete_within"),
    # What the law wants kept is left by an erasure, and by every other rule.
    f"{_PRIVACY}.staying": ("retain.duty=legal",),
    # A measure that is evidence no more opens an incident, which somebody has to resolve.
    f"{_PRIVACY}.incidents": ("secure.measures",),
    # Cookies and addresses for encrypted connections, wherever the site has an https address.
    "kept.project.settings": ("secure.tls",),
}


def register() -> None:
    """Tell the registry."""
    for module, names in ENFORCERS.items():
        registry.enforces(module, *names)
