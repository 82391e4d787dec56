"""The rail around a room's pages. Rooms say at start that they exist; nobody below knows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from kept.platform.accounts.door import TeamRequest
from kept.platform.accounts.roles import Capability, may
from kept.platform.ui.pages import Link, Shell


@dataclass(frozen=True)
class Room:
    """A place in the rail. `label` is marked with gettext_noop where the room registers; `place` orders the rail."""

    label: str
    url_name: str
    capability: Capability
    icon: str
    place: int
    group: str = "work"


ROOMS: list[Room] = []


def register(*rooms: Room) -> None:
    """Add rooms to the rail; called from a room's AppConfig.ready()."""
    known = {room.url_name for room in ROOMS}
    ROOMS.extend(room for room in rooms if room.url_name not in known)
    ROOMS.sort(key=lambda room: room.place)


def shell(request: TeamRequest, current: str, purpose: str, search_url: str = "") -> Shell:
    """The shell of an account's page; `current` is the url name of the room it belongs to, `purpose` what it acts for, in words."""
    slug = request.account.slug
    rooms = [
        Link(_(room.label), reverse(room.url_name, args=[slug]), current=room.url_name == current, icon=room.icon, group=room.group)
        for room in ROOMS
        if may(request.member, room.capability)
    ]
    return Shell(
        account=request.account.name,
        rooms=rooms,
        purpose=purpose,
        user=request.user.name or request.user.email,
        home_url=rooms[0].url if rooms else "/",
        search_url=search_url,
        sign_out_url=reverse("account_logout"),
    )
