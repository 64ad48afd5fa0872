"""LiveKit's webhooks: what is genuine makes the watcher look, and what is not does nothing."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import jwt
import pytest
from api_fakes import ADMIN, NOW, SECRET, Answer, Api, api_in, webhook
from structlog.testing import capture_logs

from agent.api.access import WEBHOOK_ROUTE
from agent.rooms import LiveKitClient

NO_HEADERS: Mapping[str, str] = {}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with api_in(tmp_path, JUNE_ADMIN_TOKEN=ADMIN) as opened:
        yield opened


async def send(
    api: Api, body: bytes, signature: str | None, headers: Mapping[str, str] = NO_HEADERS
) -> Answer:
    sent = {"Content-Type": "application/webhook+json", **headers}
    if signature is not None:
        sent["Authorization"] = signature
    with capture_logs() as logs:
        answer = await api.ask("POST", WEBHOOK_ROUTE, content=body, headers=sent)
    assert not logs
    return answer


@pytest.mark.parametrize("event", ["participant_joined", "room_finished", "something_new"])
@pytest.mark.parametrize("age_seconds", [0, 299, -59])
async def test_whatever_happened_the_watcher_looks(
    api: Api, event: str, age_seconds: float
) -> None:
    """June's token is not asked for: the server has signed it."""
    answer = await send(api, *webhook(event=event, at=NOW - age_seconds))
    assert (answer.status, api.looks) == (204, ["lobby"])


async def test_it_may_come_through_a_proxy(tmp_path: Path) -> None:
    """Also to a June without a token, under whatever name: what counts is the signature."""
    async with api_in(tmp_path) as api:
        headers = {"Host": "june.example.org", "X-Forwarded-For": "203.0.113.9"}
        assert (await send(api, *webhook(), headers)).status == 204


async def refused(api: Api, body: bytes, signature: str | None) -> None:
    answer = await send(api, body, signature)
    assert answer.status == 401
    assert "www-authenticate" in answer.headers
    assert api.looks == []


@pytest.mark.parametrize("age_seconds", [301, 86_400, -61, -86_400, NOW])
async def test_an_old_one_is_refused(api: Api, age_seconds: float) -> None:
    """And one of the future, and one that does not say when it is of."""
    await refused(api, *webhook(at=NOW - age_seconds))


async def test_a_foreign_one_is_refused(api: Api) -> None:
    """Of another server, by another key, or whose signature has run out."""
    await refused(api, *webhook(secret="another secret that is long enough for it"))
    await refused(api, *webhook(key="another key"))
    await refused(api, *webhook(valid_seconds=-3_600))


async def test_a_changed_one_is_refused(api: Api) -> None:
    """The signature is of other words."""
    body, signature = webhook()
    await refused(api, body + b" ", signature)
    await refused(api, b"", signature)
    await refused(api, b"\xff\xfe", signature)
    await refused(api, b"[" * 60_000, signature)


@pytest.mark.parametrize("signature", [None, "", "x", "a.b.c", "Bearer", "Bearer x", "." * 9_000])
async def test_an_unsigned_one_is_refused(api: Api, signature: str | None) -> None:
    """Whatever stands in its place."""
    await refused(api, webhook()[0], signature)


async def test_the_operators_token_is_no_signature(api: Api) -> None:
    """Each key opens its own door."""
    await refused(api, webhook()[0], f"Bearer {ADMIN}")


async def test_a_callers_token_is_no_signature(api: Api) -> None:
    """It is signed with the same secret, and every caller has one."""
    rooms = api.rooms.client
    assert isinstance(rooms, LiveKitClient)
    answer = await api.ask("POST", "/api/livekit/token", ADMIN, json={"identity": "ann"})
    api.looks.clear()
    await refused(api, webhook()[0], answer.json["token"])


async def test_no_algorithm_is_no_signature(api: Api) -> None:
    """`none`, as old libraries took it."""
    body, signature = webhook()
    claims = jwt.decode(signature, SECRET, algorithms=["HS256"])
    await refused(api, body, jwt.encode(claims, None, algorithm="none"))


@pytest.mark.parametrize("text", ["[]", "null", "5", '"x"', "{", '{"createdAt": {}}', "[" * 5_000])
async def test_what_is_signed_and_makes_no_sense_is_refused(api: Api, text: str) -> None:
    """It cannot be LiveKit's."""
    claims = jwt.decode(webhook()[1], SECRET, algorithms=["HS256"])
    claims["sha256"] = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    await refused(api, text.encode(), jwt.encode(claims, SECRET, algorithm="HS256"))


@pytest.mark.parametrize("claims", [{"video": []}, {"sha256": 5}, {"sha256": "%"}, {"exp": None}])
async def test_odd_claims_are_refused(api: Api, claims: dict[str, object]) -> None:
    """The library's own mistakes with them are no crash of June's."""
    body, signature = webhook()
    given = jwt.decode(signature, SECRET, algorithms=["HS256"]) | claims
    told = {name: value for name, value in given.items() if value is not None}
    await refused(api, body, jwt.encode(told, SECRET, algorithm="HS256"))


async def test_fields_of_newer_servers_are_no_matter(api: Api) -> None:
    """They are passed over."""
    body = json.dumps({"event": "x", "createdAt": str(int(NOW)), "brandNew": {"a": 1}}).encode()
    claims = jwt.decode(webhook()[1], SECRET, algorithms=["HS256"])
    claims["sha256"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
    assert (await send(api, body, jwt.encode(claims, SECRET, algorithm="HS256"))).status == 204
