"""June over HTTP, beside calls in real rooms: who asks for a token gets her, once."""

import asyncio
import base64
import hashlib
import time
from typing import Any

import jwt
from livekit import rtc

from agent.lines import ENGLISH
from agent.livekit_server import LoopbackServer
from room.conftest import Call
from room.goodbye import told_goodbye
from room.worker import Worker


async def test_who_asks_for_a_token_talks_to_june(june: Worker, call: Call) -> None:
    """Asked twice, she comes once; then she is seen in all that an operator reads."""
    async with await june.http() as http:
        wanted = {"identity": "hetty", "name": "Hetty", "room": "asked-for"}
        first, again = [await http.post("/api/livekit/token", json=wanted) for _ in range(2)]
        assert (first.status_code, again.status_code) == (200, 200)
        answer: dict[str, Any] = first.json()
        hetty = call("hetty", answer["room"])
        hetty.connection = (answer["url"], answer["token"])
        await hetty.join()
        assert "june" in (await hetty.hear(30)).text.lower()
        agents = [
            one
            for one in hetty.room.remote_participants.values()
            if one.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        ]
        assert len(agents) == 1

        health = (await http.get("/healthz")).json()
        assert health["status"] == "ok"
        assert health["active_calls"] >= 1
        assert (await http.get("/readyz")).json() == {"ready": True}
        page = (await http.get("/api/sessions", params={"room": answer["room"]})).json()
        (session,) = page["sessions"]
        assert session["status"] == "open"
        metrics = (await http.get("/metrics")).text
        assert "june_calls_total" in metrics
        assert "lk_agents_active_job_count" in metrics

        await hetty.leave()
        await june.event("call.ended", room=answer["room"])
        session_id = session["session_id"]
        assert (await http.delete(f"/api/sessions/{session_id}")).status_code == 204
        assert (await http.get(f"/api/sessions/{session_id}")).status_code == 404


async def test_an_operator_ends_a_call_for_good(june: Worker, call: Call) -> None:
    """June says goodbye; the caller stays in the room, and nobody comes back to them."""
    caller = await call().join()
    await caller.dispatch()
    await caller.hear()
    room = {"room": caller.room_name}
    async with await june.http() as http:
        await asyncio.sleep(1.5)  # the note of a call goes with its lease, once a second
        now = (await http.get("/api/ops")).json()
        (seen,) = [one for one in now["calls"] if one["room"] == caller.room_name]
        assert seen["state"] in ("listening", "speaking", "idle")
        assert seen["worker"] in [one["key"] for one in now["workers"]]
        assert (await http.post("/api/calls/end", json=room)).status_code == 204
        await told_goodbye(june, caller, ENGLISH.goodbye, "removed")
        for _ in range(16):
            await asyncio.sleep(0.5)
            assert caller.june() is None
        assert (await http.post("/api/calls/end", json=room)).status_code == 404
        (session,) = (await http.get("/api/sessions", params=room)).json()["sessions"]
        assert (session["session_id"], session["close_reason"]) == (seen["session_id"], "removed")


async def test_livekits_webhooks_are_known_by_their_signature(
    livekit: LoopbackServer, june: Worker
) -> None:
    """One that is signed by another key, old, or changed on its way is refused."""

    def signed(body: str, secret: str) -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        claims = {"iss": livekit.api_key, "exp": int(time.time()) + 60, "sha256": digest}
        return {"Authorization": jwt.encode(claims, secret, algorithm="HS256")}

    secret = livekit.api_secret.get_secret_value()
    fresh = f'{{"event": "room_started", "createdAt": "{int(time.time())}"}}'
    old = f'{{"event": "room_started", "createdAt": "{int(time.time()) - 900}"}}'
    async with await june.http() as http:

        async def status(body: str, headers: dict[str, str]) -> int:
            answer = await http.post("/api/webhooks/livekit", content=body, headers=headers)
            return answer.status_code

        assert await status(fresh, signed(fresh, secret)) == 204
        assert await status(fresh, signed(fresh, "x" * 32)) == 401
        assert await status(old, signed(old, secret)) == 401
        assert await status(fresh + " ", signed(fresh, secret)) == 401
        assert await status("\ud83d".encode("utf-8", "surrogatepass").decode("latin1"), {}) == 401
        assert await asyncio.wait_for(status("", {}), 5) == 401
