"""LiveKit's rooms from outside: tokens, who is there, and sending June to whoever comes.

* LiveKitError
  x LiveKitUnreachable   nothing answers there, or what answers is not a LiveKit server
  x LiveKitRefused       it answers, and does not accept the key, the secret or the request
"""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from google.protobuf.message import DecodeError
from livekit import api
from livekit.protocol.models import ParticipantInfo

from agent.config import LiveKitSettings
from agent.errors import CannotStart
from agent.metadata import identity_in, metadata_text
from agent.owed import Dispatch, Inside, Person, answering, in_vain

DEADLINE_SECONDS = 5.0
"""For each request, retries included."""

EMPTY_SECONDS = 660
"""How long a room that June makes waits for its first caller: longer than a token to join it lasts.

LiveKit would end it, and forget the dispatch, after five minutes.
"""

LEAST_DEPARTURE_SECONDS = 20
"""How long a LiveKit server keeps a room that everybody has left."""

Answer = TypeVar("Answer")

PEOPLE = (ParticipantInfo.STANDARD, ParticipantInfo.SIP, ParticipantInfo.CONNECTOR)


class LiveKitError(CannotStart):
    """A request to the LiveKit server failed; the message is for the operator."""


class LiveKitUnreachable(LiveKitError):
    """Nothing answered as a LiveKit server does. Trying again may help."""


class LiveKitRefused(LiveKitError):
    """The server answered no. Trying again does not help."""


class _NotFound(LiveKitRefused):
    """What was to be deleted is gone already."""


class LiveKitClient:
    """Requests to one LiveKit server, on behalf of the agent called `agent_name`.

    Usable inside `async with`. Every method raises `LiveKitError`, at the latest after 5 s.
    """

    def __init__(
        self, settings: LiveKitSettings, *, agent_name: str, grace_seconds: int = 30
    ) -> None:
        """Rooms that it makes outlast a caller's absence of `grace_seconds`."""
        if settings.missing:
            raise LiveKitRefused(
                f"`{settings.missing[0]}` is not set\nhint: run `export {settings.missing[0]}=…`"
            )
        assert settings.url is not None
        if not _is_address(settings.url):
            raise LiveKitUnreachable(
                f"`LIVEKIT_URL` is not the address of a server (got `{settings.url}`)\n"
                "hint: run `export LIVEKIT_URL=wss://host`, or `ws://host:7880` without TLS"
            )
        assert settings.api_key is not None
        assert settings.api_secret is not None
        self._url = settings.url
        self._api_key = settings.api_key
        self._api_secret = settings.api_secret
        self._agent_name = agent_name
        self._departure_seconds = max(LEAST_DEPARTURE_SECONDS, grace_seconds + 10)
        self._api: api.LiveKitAPI | None = None

    async def __aenter__(self) -> "LiveKitClient":
        self._api = api.LiveKitAPI(
            self._url,
            self._api_key,
            self._api_secret.get_secret_value(),
            timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._requests.aclose()

    def caller_token(
        self, room: str, identity: str, name: str = "", *, join_within: timedelta
    ) -> str:
        """A token to join this room with, as this identity, to speak, to type and to listen."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=True,
            can_publish_sources=["microphone"],
            can_publish_data=True,
            can_subscribe=True,
            can_update_own_metadata=False,
        )
        return (
            api.AccessToken(self._api_key, self._api_secret.get_secret_value())
            .with_identity(identity)
            .with_name(name)
            .with_ttl(join_within)
            .with_grants(grants)
            .to_jwt()
        )

    async def check(self) -> None:
        """That the server can be reached and accepts the key."""
        await self._exists("-")

    async def _exists(self, room: str) -> bool:
        answer = await self._ask(self._requests.room.list_rooms(api.ListRoomsRequest(names=[room])))
        return bool(answer.rooms)

    async def names(self) -> frozenset[str]:
        """All rooms; how many people are in each LiveKit would tell seconds late."""
        answer = await self._ask(self._requests.room.list_rooms(api.ListRoomsRequest()))
        return frozenset(room.name for room in answer.rooms)

    async def inside(self, room: str) -> Inside:
        """Who is in the room; nobody is in a room that does not exist."""
        answer = await self._ask(
            self._requests.room.list_participants(api.ListParticipantsRequest(room=room))
        )
        here = [p for p in answer.participants if p.state != ParticipantInfo.DISCONNECTED]
        return Inside(
            people=tuple(
                Person(p.identity, p.joined_at_ms / 1000) for p in here if p.kind in PEOPLE
            ),
            junes=frozenset(
                p.identity
                for p in here
                if p.kind == ParticipantInfo.AGENT
                and p.attributes.get("lk.agent.name") == self._agent_name
            ),
        )

    async def dispatch(self, room: str, metadata: Mapping[str, Any] | None = None) -> str:
        """Ask June into the room, unless she is there or on her way for this caller; its id.

        A room that does not exist is made. The server itself would send one more June for each
        request. One who waits there for somebody who is not there makes way; one who talks there
        with somebody else does not, and the watcher sends the next when she is done.
        """
        if not await self._exists(room):
            await self._make(room)
        inside = await self.inside(room)
        dispatches = await self.dispatches(room)
        text = metadata_text(metadata or {})
        found = answering(dispatches, inside, identity_in(text))
        if found is not None:
            return found.id
        old = in_vain(dispatches, inside)
        if old and len(old) == len(dispatches):
            for june in inside.junes:
                await self.remove(room, june)
        sent = await self.send(room, text)
        for dispatch in old:
            await self.withdraw(room, dispatch.id)
        return sent

    async def _make(self, room: str) -> None:
        request = api.CreateRoomRequest(
            name=room,
            empty_timeout=EMPTY_SECONDS,
            departure_timeout=self._departure_seconds,
        )
        await self._ask(self._requests.room.create_room(request))

    async def send(self, room: str, metadata: str) -> str:
        """Ask June into the room, whoever is there; the dispatch's id."""
        request = api.CreateAgentDispatchRequest(
            agent_name=self._agent_name, room=room, metadata=metadata
        )
        return (await self._ask(self._requests.agent_dispatch.create_dispatch(request))).id

    async def dispatches(self, room: str) -> tuple[Dispatch, ...]:
        """How often June was asked and nobody has withdrawn it, also where she has come and gone.

        LiveKit says some seconds late who took the job, and never that it has ended.
        """
        # Asked for a room that does not exist, LiveKit takes seconds to say that it is broken.
        if not await self._exists(room):
            return ()
        answer = await self._ask(self._requests.agent_dispatch.list_dispatch(room))
        return tuple(
            Dispatch(
                dispatch.id,
                dispatch.state.created_at / 1e9,
                dispatch.metadata,
                frozenset(
                    job.state.participant_identity
                    for job in dispatch.state.jobs
                    if job.state.participant_identity
                ),
            )
            for dispatch in answer
            if dispatch.agent_name == self._agent_name
        )

    async def remove(self, room: str, identity: str) -> None:
        """Put somebody out of the room; nothing if they have left."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        with suppress(_NotFound):
            await self._ask(self._requests.room.remove_participant(request))

    async def withdraw(self, room: str, dispatch_id: str) -> None:
        """Delete a dispatch; a June who came by it leaves within 3 s."""
        with suppress(_NotFound):
            await self._ask(self._requests.agent_dispatch.delete_dispatch(dispatch_id, room))

    async def delete_room(self, room: str) -> None:
        """End the room for everybody in it."""
        with suppress(_NotFound):
            await self._ask(self._requests.room.delete_room(api.DeleteRoomRequest(room=room)))

    @property
    def _requests(self) -> api.LiveKitAPI:
        assert self._api is not None, "used outside `async with`"
        return self._api

    async def _ask(self, request: Awaitable[Answer]) -> Answer:
        """Wait for an answer, and turn what goes wrong into June's own errors."""
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await request
        except api.TwirpError as error:
            raise self._said_no(error) from error
        except TimeoutError as error:
            raise self._unreachable(f"no answer within {DEADLINE_SECONDS:.0f} s") from error
        except DecodeError as error:
            raise self._unreachable("what answers is no LiveKit server") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error

    def _unreachable(self, why: str) -> LiveKitUnreachable:
        address = self._url.replace("ws", "http", 1)
        return LiveKitUnreachable(
            f"no LiveKit server answers at `{self._url}`: {why}\n"
            f"hint: run `curl {address}`, which should say OK, or correct `LIVEKIT_URL`"
        )

    def _said_no(self, error: api.TwirpError) -> LiveKitError:
        if error.code == api.TwirpErrorCode.NOT_FOUND:
            return _NotFound(f"the LiveKit server at `{self._url}` knows no such thing")
        if error.status in (401, 403):
            return LiveKitRefused(
                f"the LiveKit server at `{self._url}` does not accept the key `{self._api_key}` "
                "with its secret\n"
                "hint: set `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET` to a pair that the server "
                "knows"
            )
        if error.status >= 500 or error.code == api.TwirpErrorCode.UNKNOWN:
            return self._unreachable(error.message or f"it answers with status {error.status}")
        return LiveKitRefused(
            f"the LiveKit server at `{self._url}` refused a request: {error.message}\n"
            "hint: run `livekit-server --version`; it should be 1.13 or newer"
        )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"ws", "wss", "http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
