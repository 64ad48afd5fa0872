"""The switches and what they stop, and what June can do, over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from api_fakes import Api, api_in

from session.circuits import FAILURE

CIRCUIT = "llm https://api.example/v1 some-model"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    provider = {"JUNE_LLM__BASE_URL": "https://api.example/v1", "JUNE_LLM__MODEL": "some-model"}
    async with api_in(tmp_path, JUNE_LIMITS__CALLS_PER_HOUR="7", **provider) as opened:
        yield opened


async def switch(api: Api, which: str, **wanted: object) -> tuple[str, str | None, float]:
    """The phase, the reason and the seconds that are left of it, as it then is."""
    path = f"/api/security/circuit-breaker/{which}"
    state = (await api.ask("POST", path, json=wanted)).json
    return state["phase"], state["reason"], state["seconds_left"]


async def test_the_limits_in_force_are_told(api: Api) -> None:
    """And today's money, and both kinds of breakers."""
    stats = (await api.ask("GET", "/api/security/stats")).json
    assert stats["limits"]["calls_per_hour"] == 7
    assert stats["money"]["spent_micros"] == 0
    assert stats["budget"]["phase"] == "closed"
    assert stats["providers"] == {}


async def test_june_is_paused_and_goes_on(api: Api) -> None:
    """For half an hour unless it is said; also without a body."""
    answer = await api.ask("POST", "/api/security/circuit-breaker/open")
    assert answer.json["seconds_left"] == 1800
    assert (await api.sessions.asking.may_call("ann")).reason == "paused"
    stats = (await api.ask("GET", "/api/security/stats")).json
    assert (stats["budget"]["phase"], stats["budget"]["reason"]) == ("open", "paused")
    assert (await api.ask("POST", "/api/security/circuit-breaker/close")).json["phase"] == "closed"
    assert (await api.sessions.asking.may_call("ann")).allowed


async def test_who_paused_june_for_longer_has_the_last_word(api: Api) -> None:
    """For a shorter time she must be let go on before."""
    assert await switch(api, "open", minutes=60) == ("open", "paused", 3600)
    assert await switch(api, "open", minutes=0.5) == ("open", "paused", 3600)
    assert await switch(api, "close") == ("closed", None, 0)
    assert await switch(api, "close") == ("closed", None, 0)
    assert await switch(api, "open", minutes=0.5) == ("open", "paused", 30)


async def test_a_provider_is_stopped_by_itself(api: Api) -> None:
    """June goes on with another one."""
    assert await switch(api, "open", circuit=CIRCUIT, minutes=2) == ("open", "by_hand", 120)
    assert not (await api.sessions.breakers.acquire(CIRCUIT, "call")).allowed
    assert (await api.sessions.asking.may_call("ann")).allowed
    stats = (await api.ask("GET", "/api/security/stats")).json
    assert stats["providers"][CIRCUIT]["seconds_left"] == 120
    assert await switch(api, "close", circuit=CIRCUIT) == ("closed", None, 0)
    assert (await api.sessions.breakers.acquire(CIRCUIT, "call")).allowed


async def test_a_provider_that_failed_is_asked_again_when_the_operator_says_so(api: Api) -> None:
    """They may know that it is well again."""
    for _ in range(3):
        permit = await api.sessions.breakers.acquire(CIRCUIT, "call")
        await api.sessions.breakers.report(permit, FAILURE)
    stats = (await api.ask("GET", "/api/security/stats")).json
    assert (stats["providers"][CIRCUIT]["phase"], stats["providers"][CIRCUIT]["reason"]) == (
        "open",
        "failed",
    )
    assert (await switch(api, "close", circuit=CIRCUIT))[0] == "closed"


async def test_a_provider_that_there_is_not_cannot_be_stopped(api: Api) -> None:
    """The operator would believe that something is; they are told what there is."""
    wanted = {"circuit": "llm https://api.exmaple/v1 some-model"}
    answer = await api.ask("POST", "/api/security/circuit-breaker/open", json=wanted)
    assert answer.status == 404
    assert f"`{CIRCUIT}`" in answer.detail
    assert await api.sessions.breakers.state() == {}


async def test_to_close_what_nobody_knows_is_no_error(api: Api) -> None:
    """It is closed."""
    assert await switch(api, "close", circuit="tts of nobody") == ("closed", None, 0)


@pytest.mark.parametrize(
    "wanted",
    [
        {"minutes": 0},
        {"minutes": -5},
        {"minutes": 10_081},
        {"minutes": "soon"},
        {"circuit": ""},
        {"circuit": "c" * 301},
        {"circuit": "a\nb"},
        {"circuit": 5},
        {"seconds": 5},
    ],
)
async def test_a_switch_that_there_is_not_moves_nothing(
    api: Api, wanted: dict[str, object]
) -> None:
    """It is refused by the name of the field."""
    answer = await api.ask("POST", "/api/security/circuit-breaker/open", json=wanted)
    (field,) = wanted
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert (await api.sessions.money.today()).breaker_reason is None
    assert await api.sessions.breakers.state() == {}


async def test_skills_are_told_with_their_help(api: Api) -> None:
    """As `./june skills --json` tells them."""
    listed = (await api.ask("GET", "/api/skills")).json
    names = [skill["name"] for skill in listed]
    assert {"clock", "storyteller", "translator"} <= set(names)
    clock = (await api.ask("GET", "/api/skills/clock")).json
    assert clock == listed[names.index("clock")]
    assert clock["help"]
    assert clock["abilities"][0]["phrases"]


@pytest.mark.parametrize("name", ["nothing", "CLOCK", "%00", "..%2F", "c" * 5_000])
async def test_an_unknown_skill_is_a_404(api: Api, name: str) -> None:
    """It is not said again."""
    answer = await api.ask("GET", f"/api/skills/{name}")
    assert answer.status == 404
    assert name not in answer.detail
