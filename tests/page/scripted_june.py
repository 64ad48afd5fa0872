"""A June by script in a real room: whatever she tells a page, at once and in any order."""

import asyncio
import json
from contextlib import suppress
from typing import Any, Self
from uuid import uuid4

from livekit import api, rtc

from agent.events import TOPIC
from agent.livekit_server import LoopbackServer


class ScriptedJune:
    """Lives inside `async with`, in the one room of its server that somebody has joined."""

    def __init__(self, server: LoopbackServer, room: str) -> None:
        self._server = server
        self.name = room
        """Of the room."""
        self.identity = f"june-{uuid4().hex[:6]}"
        self.room = rtc.Room()
        self.texts: list[str] = []
        """What the caller has typed."""
        self._reading: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        grants = api.VideoGrants(
            room_join=True, room=self.name, agent=True, can_update_own_metadata=True
        )
        token = api.AccessToken(self._server.api_key, self._server.api_secret.get_secret_value())
        token = token.with_identity(self.identity).with_kind("agent").with_grants(grants)
        self.room.register_text_stream_handler("lk.chat", self._on_text)
        await self.room.connect(self._server.url, token.to_jwt())
        return self

    def _on_text(self, reader: rtc.TextStreamReader, _: str) -> None:
        async def read() -> None:
            self.texts.append(await reader.read_all())

        task = asyncio.create_task(read())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def __aexit__(self, *exc_info: object) -> None:
        with suppress(Exception):
            await self.room.disconnect()

    @property
    def caller(self) -> str:
        """Their identity."""
        (caller,) = (
            one.identity
            for one in self.room.remote_participants.values()
            if one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
        )
        return caller

    async def is_(self, state: str) -> None:
        await self.room.local_participant.set_attributes({"lk.agent.state": state})

    async def tells(self, type_: str, **fields: Any) -> None:
        """One of June's events."""
        told = json.dumps({"type": type_, **fields})
        await self.room.local_participant.publish_data(
            told, topic=TOPIC, destination_identities=[self.caller]
        )

    async def says(self, *pieces: str) -> None:
        """Words as they are spoken."""
        writer = await self.room.local_participant.stream_text(
            topic="lk.transcription",
            attributes={"lk.segment_id": uuid4().hex, "lk.transcription_final": "false"},
        )
        for piece in pieces:
            await writer.write(piece)
            await asyncio.sleep(0.05)
        await writer.aclose()

    async def hears(self, segment: str, text: str, *, is_final: bool) -> None:
        """What she takes the caller to have said so far."""
        writer = await self.room.local_participant.stream_text(
            topic="lk.transcription",
            sender_identity=self.caller,
            attributes={
                "lk.segment_id": segment,
                "lk.transcription_final": str(is_final).lower(),
            },
        )
        await writer.write(text)
        await writer.aclose()
