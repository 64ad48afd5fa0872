"""June's HTTP side without a LiveKit server: a scripted one, a worker as told, and who asks."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import jwt
from fastapi import FastAPI

from agent.api.app import build_app
from agent.api.parts import Parts
from agent.config import Config, load
from agent.guest_tokens import LiveKitGuestTokens
from agent.rooms import LiveKitClient, LiveKitError
from agent.skills_found import skills_of
from session import SessionService, open_sessions
from skills.registry import Registry

NOW = 1_800_000_000.0

ADMIN = "the token of the operator"
KEY = "the key of the token route"
SECRET = "a secret that is long enough for a signature"

LIVEKIT = {
    "LIVEKIT_URL": "ws://livekit.test:7880",
    "LIVEKIT_API_KEY": "devkey",
    "LIVEKIT_API_SECRET": SECRET,
}


@dataclass
class ScriptedRooms:
    """Tokens are real; what is dispatched is only noted, and June never comes twice."""

    client: LiveKitClient
    dispatched: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0
    takes_seconds: float = 0.0
    fails: LiveKitError | None = None

    def caller_token(
        self, room: str, identity: str, name: str = "", *, join_within: timedelta
    ) -> str:
        return self.client.caller_token(room, identity, name, join_within=join_within)

    async def dispatch(self, room: str, metadata: Mapping[str, Any] | None = None) -> str:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_seconds)
            if self.fails is not None:
                raise self.fails
            self.dispatched.setdefault(room, metadata or {})
        finally:
            self.at_once -= 1
        return f"dispatch to {room}"


@dataclass
class ToldWorker:
    """Is as the test says."""

    is_registered: bool = True
    is_draining: bool = False
    calls: int = 0


@dataclass
class Api:
    """The app, what stands behind it, and somebody who asks it."""

    app: FastAPI
    config: Config
    sessions: SessionService
    rooms: ScriptedRooms
    worker: ToldWorker
    http: httpx2.AsyncClient
    looks: list[str]
    """One for each time that the watcher was told to look."""

    async def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> "Answer":
        """As whoever has this token."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return Answer(await self.http.request(method, path, headers=headers, **more))


class Answer:
    """What came back; a problem must look like one."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.headers = response.headers
        if self.status >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail"} <= set(self.json)
            assert self.json["status"] == self.status

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def detail(self) -> str:
        return str(self.json["detail"])


def config_of(folder: Path, **environ: str) -> Config:
    return load(
        environ={"HOME": str(folder), "JUNE_DATA__DIR": str(folder / "june"), **LIVEKIT, **environ}
    )


@cache
def own_skills() -> Registry:
    """June's own; to load them takes a moment."""
    with TemporaryDirectory() as folder:
        return skills_of(config_of(Path(folder)))


def parts_of(
    config: Config,
    sessions: SessionService,
    rooms: ScriptedRooms,
    worker: ToldWorker | None = None,
    looks: list[str] | None = None,
) -> Parts:
    async def metrics() -> bytes:
        return b"# HELP june_calls Calls.\njune_calls_total 3.0\n"

    return Parts(
        config=config,
        sessions=sessions,
        rooms=rooms,
        registry=own_skills(),
        worker=worker or ToldWorker(),
        metrics=metrics,
        look_again=lambda room: None if looks is None else looks.append(room),
    )


@asynccontextmanager
async def api_in(folder: Path, **environ: str) -> AsyncIterator[Api]:
    """With these variables set, on a store of its own; everybody else asks at `NOW`."""
    config = config_of(folder, **environ)
    client = LiveKitClient(config.livekit, agent_name="june")
    async with open_sessions(
        config.session, now=lambda: NOW, guest_tokens=LiveKitGuestTokens(client)
    ) as sessions:
        rooms, worker, looks = ScriptedRooms(client), ToldWorker(), list[str]()
        app = build_app(parts_of(config, sessions, rooms, worker, looks))
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://localhost:8080"
        ) as http:
            yield Api(app, config, sessions, rooms, worker, http, looks)


def webhook(
    *,
    event: str = "participant_joined",
    at: float = NOW,
    secret: str = SECRET,
    key: str = "devkey",
    valid_seconds: float = 300.0,
) -> tuple[bytes, str]:
    """A body and its signature, as a LiveKit server sends them."""
    told = {"event": event, "room": {"name": "lobby"}, "id": "EV_1", "createdAt": str(int(at))}
    body = json.dumps(told).encode()
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = time.time()
    claims = {"iss": key, "nbf": now - 5, "exp": now + valid_seconds, "sha256": digest}
    return body, jwt.encode(claims, secret, algorithm="HS256")
