"""Every pair of colours that the components set on one another meets WCAG 2.2 AA, in both schemes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[1] / "static/ui/tokens.css").read_text()
SURFACES = ("paper", "card", "sunken")
STATES = ("kept", "unproven", "broken", "restricted", "info", "withheld", "accent")
INKS = ("ink", "ink-2", "ink-3", "accent-strong", *STATES)
# ink, ground, ratio: 4.5 for text, 3 for what bounds a control or carries meaning without being text (SC 1.4.3, 1.4.11)
PAIRS = [
    *((ink, surface, 4.5) for ink in INKS for surface in SURFACES),
    *((state, f"{state}-soft", 4.5) for state in STATES),
    *((ink, f"{state}-soft", 4.5) for ink in ("ink", "ink-2") for state in STATES),
    ("withheld", "withheld-stripe", 4.5),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-strong", 4.5),
    ("on-broken", "ground-broken", 4.5),
    *(("edge", surface, 3.0) for surface in SURFACES),
    *(("accent", surface, 3.0) for surface in SURFACES),
]


def scheme(name: str) -> dict[str, str]:
    light, _, dark = TOKENS.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark)) if name == "dark" else found


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_pair_meets_aa(name: str) -> None:
    colours = scheme(name)
    weak = {
        f"{ink} on {ground}": round(contrast(colours[ink], colours[ground]), 2)
        for ink, ground, ratio in PAIRS
        if contrast(colours[ink], colours[ground]) < ratio
    }
    assert not weak


def test_every_colour_is_tested_or_merely_parts() -> None:
    tested = {token for ink, ground, _ in PAIRS for token in (ink, ground)}
    assert set(scheme("light")) - tested == {"line", "line-2"}


def test_both_schemes_set_the_same_colours() -> None:
    dark = TOKENS.partition("@media (prefers-color-scheme: dark)")[2]
    assert set(re.findall(r"--([\w-]+): #", dark)) == set(scheme("light"))


def test_components_take_their_colours_from_tokens_alone() -> None:
    components = (Path(__file__).parents[1] / "static/ui/components.css").read_text()
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(", components)
