"""Covering other people in text that somebody else may read: their names, addresses and numbers, as far as they are known here."""

from __future__ import annotations

import re
from functools import cached_property

from django.db.models import Q
from django.utils.translation import gettext as _

from kept.apps.contacts.models import Person
from kept.core.errors import BadInput
from kept.platform.data.use import Use
from kept.platform.privacy import subjects
from kept.platform.privacy.digests import rows_of
from kept.platform.privacy.models import Identifier

_EMAIL = re.compile(r"[^\s@<>()\[\],;:\"]+@[^\s@<>()\[\],;:\"]+\.[^\s@<>()\[\],;:\".]+")
_PHONE = re.compile(r"\+?\d[\d ()./-]{6,}\d")
_NAME = re.compile(r"[^\W\d_][\w’'-]*[^\W_]")


class Cover:
    """Covers other people than one subject; `count` says how often. `use` is of the purpose `rights`.

    Every email address that is not the subject's own is somebody else's. A telephone number is covered when it is known to be
    somebody's, since a number in a text may be any number; so is a name, unless the subject bears it too. A name that the notice
    seals cannot be looked up, and stays.
    """

    def __init__(self, use: Use, subject_id: int, region: str) -> None:
        self.use, self.subject_id, self.region = use, subject_id, region
        self.count = 0

    @cached_property
    def _own(self) -> set[bytes]:
        return {bytes(one) for one in Identifier.under(self.use).filter(subject_id=self.subject_id).values_list("digest", flat=True)}

    @cached_property
    def _own_names(self) -> set[str]:
        names = Person.under(self.use).filter(subject_id=self.subject_id).values_list("given_name", "family_name")
        return {word.lower() for pair in names for name in pair for word in _NAME.findall(name)}

    def text(self, text: str) -> str:
        """The text with other people covered."""
        text = _EMAIL.sub(lambda found: self._identifier("email", found[0], known_only=False), text)
        text = _PHONE.sub(lambda found: self._identifier("phone", found[0], known_only=True), text)
        others = self._other_names(set(_NAME.findall(text)))
        if not others:
            return text
        pattern = "|".join(re.escape(name) for name in sorted(others, key=len, reverse=True))
        return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda found: self._covered(), text)

    def _identifier(self, kind: str, found: str, *, known_only: bool) -> str:
        try:
            digest = subjects.digest(self.use.account_id, kind, found, self.region)
        except BadInput:
            return found
        if digest in self._own or (known_only and not rows_of(self.use, Identifier, kind, [digest], "id")):
            return found
        return self._covered()

    def _other_names(self, words: set[str]) -> set[str]:
        """Of these words, those that are names of other people here."""
        asked = {word for word in words if word[0].isupper() and word.lower() not in self._own_names}
        if not asked:
            return set()
        others = Person.under(self.use).exclude(subject_id=self.subject_id)
        held = others.filter(Q(given_name__in=asked) | Q(family_name__in=asked)).values_list("given_name", "family_name")
        return asked & {name for pair in held[:1000] for name in pair}

    def _covered(self) -> str:
        self.count += 1
        return _("[covered: another person]")
