"""Secrets of all kinds are planted, a call is had and much goes wrong; then all that June tells
anybody is searched for them: log, output, errors, metrics, traces, and answers over HTTP.
"""

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
from collector import collecting
from speech_fakes import ScriptedSpeech

from agent.livekit_server import LoopbackServer
from bench.provider import Answer, Refusal, Script, ScriptedProvider
from room.caller import Caller
from room.conftest import Call
from room.hosted import MODELS
from room.worker import ROOT, Worker

SECRETS = {
    "JUNE_SECRET_KEY": "planted-hashing-key-0f3a9c51d2",
    "JUNE_ADMIN_TOKEN": "planted-admin-token-71be04c6aa",
    "JUNE_TOKEN_KEY": "planted-site-key-5d90e7f318cc",
    "JUNE_WEBHOOK_SECRET": "planted-webhook-key-c8812be7f0",
    "PLANTED_PROVIDER_KEY": "planted-provider-key-4be2d19e06",
}

WORDS = {
    "persona of the settings": "You are Zarquonia, a receptionist.",
    "instructions": "The safe word is xylofrost.",
    "persona of the call": "You are Brelvadine today.",
    "what the caller types": "My brother Quillamor has the mumps.",
    "what the model answers": "Poor Quennifer will be well again.",
    "what the caller notes": "Take a note to visit Jandrassil.",
    "what a story begins with": "A hamster called Wimblefax.",
    "what a request holds": "Fendrilow",
}

MARKS = (
    *("zarquonia", "xylofrost", "brelvadine", "quillamor"),
    *("quennifer", "jandrassil", "wimblefax", "fendrilow"),
)

IDENTITY = "ann-of-thornbury"
"""In logs and traces nobody is told who calls; the operator may ask for sessions of a user."""


def script() -> Script:
    """An answer, and a provider that quotes the caller and the key as it refuses."""
    typed, key = WORDS["what the caller types"], SECRETS["PLANTED_PROVIDER_KEY"]
    return Script(
        llm=[
            Answer(WORDS["what the model answers"]),
            Answer(fault=Refusal(400, f"cannot answer `{typed}` with key `{key}`")),
        ],
        models=MODELS,
    )


def forms(secret: str) -> Iterator[bytes]:
    """As it may be written."""
    raw = secret.encode()
    yield raw
    yield quote(secret, safe="").encode()
    yield raw.hex().encode()
    for start in range(3):  # wherever in another text it stands
        yield base64.b64encode(raw[start : len(raw) - (len(raw) - start) % 3])
        yield base64.urlsafe_b64encode(raw[start : len(raw) - (len(raw) - start) % 3])


def holds_none(what: str, told: bytes, secrets: Mapping[str, str], *marks: str) -> None:
    for name, secret in secrets.items():
        assert not any(form in told for form in forms(secret)), f"{name} is in {what}"
    for mark in marks:
        assert mark.encode() not in told.lower(), f"`{mark}` is in {what}"


class Asking:
    """Somebody who asks June over HTTP, and keeps what she answers."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.answers: list[tuple[str, bytes]] = []

    async def ask(
        self, method: str, path: str, *, key: str = "JUNE_ADMIN_TOKEN", **more: Any
    ) -> httpx.Response:
        """As whoever has this key; without one as whoever has guessed."""
        token = SECRETS.get(key, f"{SECRETS['JUNE_ADMIN_TOKEN']}x")
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        answer = await self.http.request(method, path, headers=headers, **more)
        head = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
        self.answers.append((f"{method} {path}", head.encode() + answer.content))
        return answer

    async def look_around(self, session_id: str) -> None:
        """All that can be read, but for what was said, which an operator may read."""
        for path in (
            *("/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/api/sessions"),
            *("/api/sessions/stats", f"/api/sessions/{session_id}", "/api/security/stats"),
            *("/api/skills", "/api/skills/notes"),
        ):
            assert (await self.ask("GET", path)).status_code == 200, path

    async def do_wrong(self) -> None:
        """Requests of which none can be answered, with words and keys in them."""
        words, key = WORDS["what a request holds"], SECRETS["JUNE_TOKEN_KEY"]
        token = {"identity": words, "mood": words, "persona": key * 900, "language": key}
        for method, path, more in (
            ("GET", "/api/sessions", {"key": ""}),
            ("GET", "/api/sessions", {"key": "JUNE_TOKEN_KEY"}),
            ("GET", f"/api/sessions/{words}", {}),
            ("GET", f"/api/skills/{key}", {}),
            ("GET", f"/{words}/{key}", {}),
            ("GET", "/api/sessions", {"params": {"limit": key, "user": ""}}),
            ("PUT", "/api/sessions", {"json": token}),
            ("POST", "/api/livekit/token", {"json": token}),
            ("POST", "/api/livekit/token", {"content": f'{{"identity": "{words}" {key}'}),
            ("POST", "/api/livekit/token", {"content": f"{words} {key}".encode("utf-16")}),
            ("POST", "/api/users/forget", {"json": {"user": [words, key]}}),
            ("POST", "/api/security/circuit-breaker/open", {"json": {"minutes": words}}),
            ("POST", "/api/webhooks/livekit", {"content": words, "key": "JUNE_WEBHOOK_SECRET"}),
        ):
            answer = await self.ask(method, path, **more)
            assert 400 <= answer.status_code < 500, (path, answer.status_code)


@asynccontextmanager
async def planted(
    livekit: LoopbackServer, folder: Path, traces: str
) -> AsyncIterator[tuple[Worker, Asking]]:
    """A June who is told secrets, and logs all that she ever does."""
    key = SECRETS["PLANTED_PROVIDER_KEY"]
    async with ScriptedProvider(ScriptedSpeech(), script(), key) as provider:
        settings = {
            "JUNE_AGENT__NAME": "planted",
            "JUNE_AGENT__PERSONA": WORDS["persona of the settings"],
            "JUNE_AGENT__INSTRUCTIONS": WORDS["instructions"],
            "JUNE_LOGS__LEVEL": "debug",
            "JUNE_LLM__BASE_URL": provider.base_url,
            "JUNE_LLM__KEY_VARIABLE": "PLANTED_PROVIDER_KEY",
            "JUNE_WORKER__DRAIN_SECONDS": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces,
        }
        async with Worker.of(livekit, folder, **settings, **SECRETS) as june:
            await june.ready()
            port = (await june.event("http.ready"))["port"]
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=15) as http:
                yield june, Asking(http)
            assert await june.stop() == 0


async def asked_for(http: Asking, call: Call) -> tuple[Caller, str]:
    """A caller with a token that June has made, and the token."""
    wanted = {"identity": IDENTITY, "persona": WORDS["persona of the call"]}
    answer = (
        await http.ask("POST", "/api/livekit/token", key="JUNE_TOKEN_KEY", json=wanted)
    ).json()
    http.answers.clear()  # that answer is the one place where a token belongs
    caller = call(IDENTITY, answer["room"])
    caller.connection = (answer["url"], answer["token"])
    return await caller.join(with_microphone=False), answer["token"]


async def errors_of_commands(livekit: LoopbackServer, folder: Path) -> bytes:
    """Of a worker with a wrong setting, and of a call with a secret that the server refuses."""
    told = b""
    secret = SECRETS["JUNE_SECRET_KEY"]
    for words, wrong in (
        (("start",), {"JUNE_WORKER__MAX_CALLS": "many", "JUNE_TOKEN_KEY": "short-secret"}),
        (("start",), {"JUNE_STORE__URL": f"redis://june:{secret}@127.0.0.1:1/0"}),
        (("call", "lobby"), {"LIVEKIT_API_SECRET": secret}),
    ):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "agent", *words),
            cwd=folder,
            env={
                **os.environ,
                **SECRETS,
                "PYTHONPATH": str(ROOT),
                "JUNE_DATA__DIR": str(folder / "data"),
                "LIVEKIT_URL": livekit.url,
                "LIVEKIT_API_KEY": livekit.api_key,
                "LIVEKIT_API_SECRET": livekit.api_secret.get_secret_value(),
                **wrong,
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 2, out
        told += out
    assert b"short-secret" not in told
    return told


async def test_what_is_secret_is_told_nobody(
    livekit: LoopbackServer, call: Call, tmp_path: Path
) -> None:
    """Keys and tokens nowhere; words only in what was said in a session, for the operator."""
    secrets = {**SECRETS, "LIVEKIT_API_SECRET": livekit.api_secret.get_secret_value()}
    with collecting() as collector:
        async with planted(livekit, tmp_path, collector.endpoint) as (june, http):
            caller, token = await asked_for(http, call)
            secrets["the caller's token"] = token.rpartition(".")[2]
            await caller.until(lambda: caller.june_says, 20, "June greets")
            for text in (
                WORDS["what the caller types"],
                WORDS["what the caller notes"],
                "Tell me a story.",
                WORDS["what a story begins with"],
            ):
                await caller.type_and_be_answered(text)
                await caller.until(lambda: caller.state_of_june == "listening", 20, "an end of it")
            page = (await http.ask("GET", f"/api/sessions?room={caller.room_name}")).json()
            (session,) = page["sessions"]
            await http.look_around(session["session_id"])
            await http.do_wrong()
            await caller.leave()
            await june.event("call.ended", 20, room=caller.room_name)
            await http.look_around(session["session_id"])
            said = await http.http.get(
                f"/api/sessions/{session['session_id']}/messages",
                headers={"Authorization": f"Bearer {SECRETS['JUNE_ADMIN_TOKEN']}"},
            )
    assert all(mark in said.text.lower() for mark in ("quillamor", "quennifer")), said.text
    holds_none("the messages", said.content, secrets)

    assert june.events("provider.failed", status=400)
    holds_none("the log", june.log.encode(), secrets, *MARKS, IDENTITY)
    holds_none("the output", june.printed.encode(), secrets, *MARKS, IDENTITY)
    assert {span.name for span in collector.spans} >= {"llm_node", "agent_turn"}
    holds_none("the traces", b"".join(collector.bodies), secrets, *MARKS, IDENTITY)
    for asked, answer in http.answers:
        holds_none(f"the answer to {asked}", answer, secrets, *MARKS, IDENTITY)
    events = json.dumps(caller.events).encode()
    assert b"skill.began" in events
    holds_none("June's events", events, secrets, *MARKS, IDENTITY)
    for kept in (path for path in (tmp_path / "data").rglob("*") if path.is_file()):
        holds_none(f"what is kept in {kept.name}", kept.read_bytes(), secrets)
    holds_none("an error", await errors_of_commands(livekit, tmp_path), secrets)
