"""`./june call ROOM`: send June into a room of the LiveKit server, and say how to join it."""

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from agent.config import Config
from agent.errors import CannotStart
from agent.guest_tokens import TO_JOIN
from agent.metadata import LONGEST_CHARACTERS, LONGEST_PERSONA, metadata_text
from agent.owed import COME_WITHIN_SECONDS, Dispatch, Inside, answering, concerning, newest
from agent.redact import printable
from agent.rooms import LiveKitClient
from agent.settings import LANGUAGE_TAG

LOOK_EVERY_SECONDS = 0.25

LONGEST_NAME_BYTES = 256
"""LiveKit takes no longer ones."""

IDENTITY = "caller"
"""As whom one joins who does not say."""


class Rooms(Protocol):
    """What this asks of a `LiveKitClient`."""

    async def inside(self, room: str) -> Inside: ...
    async def dispatches(self, room: str) -> tuple[Dispatch, ...]: ...
    async def dispatch(self, room: str, metadata: Mapping[str, Any] | None = None) -> str: ...
    async def send(self, room: str, metadata: str) -> str: ...
    async def withdraw(self, room: str, dispatch_id: str) -> None: ...


class Whereabouts(StrEnum):
    """Of June, as far as the LiveKit server tells."""

    THERE = "there"
    """Already, so that she was not sent."""
    COMING = "coming"
    """She has taken the call."""
    BUSY = "busy"
    """She talks with somebody else there."""
    UNTAKEN = "untaken"
    """She was sent for, and no worker has taken the call."""


SAID = {
    Whereabouts.THERE: "June is in that room already, and stays as she is. "
    "Join with any LiveKit client.",
    Whereabouts.COMING: "June has taken the call. Join with any LiveKit client.",
    Whereabouts.BUSY: "June talks with somebody else in that room, and listens to nobody but them. "
    "She comes when she is done, if her caller is there.",
    Whereabouts.UNTAKEN: "Nobody has taken the call: no worker seems to run, or all of them are "
    "busy.\nhint: run `./june start`, and June comes when you are in the room",
}


@dataclass(frozen=True)
class Wanted:
    """What was typed."""

    room: str
    identity: str | None = None
    """The one whom June listens to; otherwise the first who joins."""
    language: str | None = None
    persona: str | None = None

    def check(self) -> None:
        """Raises `CannotStart` for what could name no room, or what June would not read."""
        _check_name("ROOM", self.room)
        if self.identity is not None:
            _check_name("--identity", self.identity)
        if self.language is not None and not re.fullmatch(LANGUAGE_TAG, self.language):
            raise CannotStart(
                f"`--language` is a language tag (got `{printable(self.language)}`)\n"
                "hint: use one such as `en` or `pt-BR`"
            )
        if self.persona is not None and not 0 < len(self.persona) <= LONGEST_PERSONA:
            raise CannotStart(
                f"`--persona` is text of at most {LONGEST_PERSONA:,} characters "
                f"(got {len(self.persona):,})\n"
                'hint: say who June is, as in `--persona "You are Ada, who answers for a bakery."`'
            )
        if (length := len(metadata_text(self.metadata))) > LONGEST_CHARACTERS:
            raise CannotStart(
                f"`--persona` is too long: June reads {LONGEST_CHARACTERS:,} characters of "
                f"JSON "
                f"(got {length:,})\n"
                "hint: make it shorter; what cannot be printed counts as six characters"
            )

    @property
    def metadata(self) -> dict[str, str]:
        fields = {"identity": self.identity, "language": self.language, "persona": self.persona}
        return {name: value for name, value in fields.items() if value is not None}


def _check_name(what: str, name: str) -> None:
    if name.strip() and name.isprintable() and len(name.encode()) <= LONGEST_NAME_BYTES:
        return
    raise CannotStart(
        f"`{what}` is a name that can be printed, of at most {LONGEST_NAME_BYTES} bytes "
        f"(got `{printable(name)[:LONGEST_NAME_BYTES]}`)\n"
        "hint: use letters and digits, as in `./june call lobby --identity ann`"
    )


async def called(config: Config, wanted: Wanted, *, as_json: bool) -> str:
    """What the command prints. Takes about 3 s where no worker takes the call.

    Raises:
        CannotStart: for what was typed, and for what the server cannot do.
    """
    wanted.check()
    if missing := config.livekit.missing:
        raise CannotStart(
            f"`{'`, `'.join(missing)}` {'is' if len(missing) == 1 else 'are'} not set\n"
            f"hint: run `export {missing[0]}=…`, as the worker's LiveKit server knows it"
        )
    client = LiveKitClient(
        config.livekit,
        agent_name=config.agent.name,
        grace_seconds=config.call.grace_seconds,
    )
    async with client:
        june = await send(client, wanted)
        token = client.caller_token(wanted.room, wanted.identity or IDENTITY, join_within=TO_JOIN)
    if as_json:
        return json.dumps(
            {
                "june": june.value,
                "address": config.livekit.url,
                "room": wanted.room,
                "identity": wanted.identity or IDENTITY,
                "token": token,
                "join_within_seconds": int(TO_JOIN.total_seconds()),
            },
            indent=2,
        )
    return (
        f"{SAID[june]}\n\n"
        f"  address  {config.livekit.url}\n"
        f"  room     {wanted.room}\n"
        f"  token    {token}\n"
        f"           (to join within {TO_JOIN.seconds // 60} minutes)"
    )


async def send(
    rooms: Rooms,
    wanted: Wanted,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Whereabouts:
    """Ask June into the room, unless she is there. Raises `LiveKitError`."""
    room = wanted.room

    async def comes_by(dispatches: Collection[str]) -> bool:
        until = now() + COME_WITHIN_SECONDS
        while now() < until:
            if (await rooms.inside(room)).junes:
                return True
            await sleep(LOOK_EVERY_SECONDS)
        # On a busy machine she may have taken the call, and not have found her way yet.
        return any(one.junes for one in await rooms.dispatches(room) if one.id in dispatches)

    inside, dispatches = await rooms.inside(room), await rooms.dispatches(room)
    if inside.junes:
        if not dispatches or answering(dispatches, inside, wanted.identity):
            return Whereabouts.THERE
        if concerning(dispatches, inside):
            await rooms.dispatch(room, wanted.metadata)
            return Whereabouts.BUSY
    waiting = [one for one in dispatches if not one.junes]
    old = [one.id for one in waiting]
    if inside.junes or not waiting:
        sent = await rooms.dispatch(room, wanted.metadata)
    elif await comes_by(old):
        return Whereabouts.THERE  # somebody else has just asked her
    else:
        # They were lost, as LiveKit tries none again; what June was to be told is not.
        told = metadata_text(wanted.metadata) or newest(waiting).metadata
        sent = await rooms.send(room, told)
        for dispatch_id in old:
            await rooms.withdraw(room, dispatch_id)
    return Whereabouts.COMING if await comes_by([sent]) else Whereabouts.UNTAKEN
