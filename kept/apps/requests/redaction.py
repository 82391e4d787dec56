"""Covering other people in what somebody else may read: their names, addresses and numbers, as far as they are known here."""

from __future__ import annotations

import re
from functools import cached_property

from django.db.models import Q
from django.utils.translation import gettext as _

from kept.apps.contacts.models import Person, PostalAddress
from kept.core.errors import BadInput
from kept.platform.data.search import search, words
from kept.platform.data.use import Use
from kept.platform.privacy import subjects, values
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.models import Identifier

MOST_AT_HOME = 20
"""An address or a number that more people share is an organisation's, and they are no household."""
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]+")
_PHONE = re.compile(r"\+?\d[\d ()./-]{6,}\d")
_NAME = re.compile(r"[^\W\d_][\w’'-]*[^\W_]")


class Cover:
    """Covers other people than one subject; `count` says how often. `use` is of the purpose `rights`.

    In what people wrote (`text`) every email address that is not the subject's own is somebody else's. A telephone number is covered
    when it is known to be somebody's, since a number in a text may be any number; so is a name, unless the subject bears it too. In any
    other value (`value`) that goes for whoever lives at the same address or shares a telephone, and for addresses and numbers known to
    be somebody else's alone. A name that the notice seals cannot be looked up in a text, nor a sealed address; in a household names are
    opened.
    """

    def __init__(self, use: Use, subject_id: int, region: str) -> None:
        self.use, self.subject_id, self.region = use, subject_id, region
        self.count = 0

    @cached_property
    def _own(self) -> set[bytes]:
        return {bytes(one) for one in Identifier.under(self.use).filter(subject_id=self.subject_id).values_list("digest", flat=True)}

    @cached_property
    def _own_names(self) -> set[str]:
        return {word.lower() for word in self._names_of({self.subject_id})}

    def text(self, text: str) -> str:
        """What people wrote, with other people covered."""
        text = _EMAIL.sub(lambda found: self._identifier("email", found[0], known_only=False), text)
        text = _PHONE.sub(lambda found: self._identifier("phone", found[0], known_only=True), text)
        return self._without(self._other_names(set(_NAME.findall(text))), self._at_home(text))

    def value(self, text: str) -> str:
        """A value of another kind, with whoever shares the subject's home or telephone covered."""
        text = _EMAIL.sub(lambda found: self._identifier("email", found[0], known_only=True), text)
        text = _PHONE.sub(lambda found: self._identifier("phone", found[0], known_only=True), text)
        return self._at_home(text)

    def _identifier(self, kind: str, found: str, *, known_only: bool) -> str:
        try:
            digest = subjects.digest(self.use.account_id, kind, found, self.region)
        except BadInput:
            return found
        if digest in self._own or (known_only and not rows_of(self.use, Identifier, kind, [digest], "id")):
            return found
        return self._covered()

    def _other_names(self, asked: set[str]) -> set[str]:
        """Of these words, those that are names of other people here."""
        asked = {word for word in asked if word[0].isupper() and word.lower() not in self._own_names}
        if not asked:
            return set()
        others = Person.under(self.use).exclude(subject_id=self.subject_id)
        held = others.filter(Q(given_name__in=asked) | Q(family_name__in=asked)).values_list("given_name", "family_name")
        return asked & {name for pair in held[:1000] for name in pair}

    def _without(self, names: set[str], text: str, flags: int = 0) -> str:
        if not names:
            return text
        pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda found: self._covered(), text, flags=flags)

    def _covered(self) -> str:
        self.count += 1
        return _("[covered: another person]")

    # Households

    def _at_home(self, text: str) -> str:
        return self._without(self._names_at_home, text, re.IGNORECASE)

    @cached_property
    def _names_at_home(self) -> set[str]:
        """The names of the others in the subject's household, but those that the subject bears too."""
        return {word for word in self._names_of(self.household) if word.lower() not in self._own_names}

    def _names_of(self, subject_ids: set[int]) -> set[str]:
        held = values.opened(self.use, list(Person.under(self.use).filter(subject_id__in=subject_ids))) if subject_ids else []
        return {word for person in held for name in (person.given_name, person.family_name) for word in _NAME.findall(name)}

    @cached_property
    def household(self) -> set[int]:
        """The others who live at one of the subject's addresses or share a telephone number: their subjects."""
        phones = Identifier.under(self.use).filter(subject_id=self.subject_id, kind="phone").values_list("digest", flat=True)
        shared: dict[bytes, set[int]] = {}
        for digest, owner in rows_of(self.use, Identifier, "phone", [bytes(one) for one in phones], "subject_id"):
            shared.setdefault(bytes(digest), set()).add(owner)
        groups = [*shared.values(), *self._living_together()]
        return {one for group in groups if len(group) <= MOST_AT_HOME for one in group} - {self.subject_id}

    def _living_together(self) -> list[set[int]]:
        """For each of the subject's addresses, who has the same street and town."""
        own = values.opened(self.use, list(PostalAddress.under(self.use).filter(subject_id=self.subject_id)))
        return [at_address(self.use, one.street, one.postcode, one.city) for one in own if one.street]


def at_address(use: Use, street: str, postcode: str, city: str) -> set[int]:
    """The subjects with an address in this street, at this number, in this postcode; where one of the two has none, in this town.

    `use` is of the purpose `rights`. Found by the index over addresses, so not what is sealed.
    """
    near = (search(use, PostalAddress, f"{street} {where}", 10 * MOST_AT_HOME) for where in dict.fromkeys((postcode, city)))
    found = PostalAddress.under(use).filter(pk__in=[pk for pks in near for pk in pks])

    def same(one: PostalAddress) -> bool:
        if _bare(one.street) != _bare(street):
            return False
        by_code = bool(one.postcode and postcode)
        return _bare(one.postcode) == _bare(postcode) if by_code else _bare(one.city) == _bare(city)

    return {one.subject_id for one in found if same(one)}


def _bare(text: str) -> str:
    return "".join(words(text))
