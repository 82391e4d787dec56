"""The life of a request as a model: every state it can reach, by every event, crashes and repetitions among them.

The model knows nothing of the implementation. `test_lifecycle.py` explores it whole, and drives the room along random walks through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["copy", "erase", "grace"]
"""A copy; an erasure; an erasure that can be taken back for a while."""
By = Literal["self", "agent"]


@dataclass(frozen=True)
class Life:
    """One request and what it is about.

    `link`: whether the mailed link works. `proved`: that the person said so by it, or one of the team vouched. `shown`: that the agent's
    permission was shown. `proposed`: a first member would refuse. `rows`: whether the person's data stands, is hidden, stays in part,
    or is gone. `due`: the day of a hidden person's erasure has been set. `begun`: an erasure is journalled. `package`: a copy lies ready.
    `held`: a legal hold stands on the person. `key`: the request can be opened.
    """

    kind: Kind
    by: By = "self"
    state: str = "received"
    link: bool = True
    proved: bool = False
    shown: bool = False
    proposed: bool = False
    rows: Literal["there", "hidden", "kept", "gone"] = "there"
    due: bool = False
    begun: bool = False
    package: bool = False
    held: bool = False
    key: bool = True

    @property
    def sure(self) -> bool:
        """Whether whoever asks is known well enough for an answer."""
        return self.proved and (self.by == "self" or self.shown)


Step = tuple[str, Life]


def steps(life: Life) -> Iterator[Step]:
    """Every event that can happen now, and what follows. An event that changes nothing (a link used twice, a job that runs twice) is
    listed too: it must change nothing.
    """
    yield from _proving(life)
    yield from _deciding(life)
    yield from _answering(life)
    yield from _holding(life)
    yield from _closing(life)


def _proving(life: Life) -> Iterator[Step]:
    waiting = life.state == "received" and life.key
    yield "confirm", _go_on(replace(life, link=False, proved=True)) if waiting and life.link else life
    if life.by == "agent":
        yield "show", _go_on(replace(life, shown=True)) if waiting else life
    sure = life.by == "self" or life.sure
    vouched = replace(life, state="verified", link=False, proved=True)
    yield "vouch", vouched if life.state in ("received", "verified") and life.key and sure else life


def _go_on(life: Life) -> Life:
    return replace(life, state="verified", link=False) if life.sure else life


def _deciding(life: Life) -> Iterator[Step]:
    undone = life.state in ("received", "verified") and life.key
    yield "refuse", replace(life, proposed=True) if undone else life
    if life.proposed:
        yield "refuse: another", replace(life, state="refused", link=False) if undone else life
    back: Literal["there", "hidden", "kept", "gone"] = "there" if life.rows == "hidden" else life.rows
    revocable = undone or (life.state == "hidden" and life.key)
    yield "revoke", replace(life, state="revoked", link=False, rows=back) if revocable else life


def _answering(life: Life) -> Iterator[Step]:
    if life.state not in ("verified", "working") or not life.key:
        yield "answer", life
        return
    working = replace(life, state="working")
    if life.state == "verified":
        yield "crash: requests:working", working
    if life.kind == "copy":
        yield "answer", replace(working, state="ready", package=True)
        yield "crash: requests:packed", replace(working, package=True)
    elif life.kind == "grace" and not life.due:
        yield "answer", replace(working, state="hidden", rows="hidden", due=True)
        yield "crash: requests:hidden", replace(working, rows="hidden")
    else:
        rows: Literal["kept", "gone"] = "gone" if life.rows == "gone" or not life.held else "kept"
        yield "answer", replace(working, state="ready", rows=rows, begun=True)
        if not life.begun:
            yield "crash: erasure:journalled", replace(working, begun=True)
        if life.rows not in ("kept", "gone"):
            yield "crash: erasure:deleted", replace(working, begun=True, rows=rows)
        yield "crash: requests:erased", replace(working, begun=True, rows=rows)


def _holding(life: Life) -> Iterator[Step]:
    if life.kind == "copy":
        return
    if life.rows in ("there", "hidden") and not life.held:
        yield "hold", replace(life, held=True)
    if life.held:
        free = replace(life, held=False)
        yield "release", replace(free, rows="gone") if life.rows == "kept" else free


def _closing(life: Life) -> Iterator[Step]:
    if life.state == "hidden":
        yield "its day comes", replace(life, state="working")
    yield "fetch", life  # again and again, or never: nothing of it changes
    lapses = life.key and life.state not in ("verified", "working", "hidden") and not (life.state == "ready" and life.rows == "kept")
    end = {"received": "expired", "ready": "done"}.get(life.state, life.state)
    yield "lapse", replace(life, state=end, key=False, package=False, link=False) if lapses else life


STARTS = tuple(Life(kind, by) for kind in ("copy", "erase", "grace") for by in ("self", "agent"))


def explore() -> dict[Life, list[Step]]:
    """Every life that can be reached, with its steps."""
    found: dict[Life, list[Step]] = {}
    waiting = list(STARTS)
    while waiting:
        life = waiting.pop()
        if life not in found:
            found[life] = list(steps(life))
            waiting += [after for _, after in found[life]]
    return found
