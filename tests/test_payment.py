"""A call that begins while the store is away: answered for free, refused where it costs."""

from pathlib import Path

import pytest

import agent.remembered
from agent.config import Config, load
from agent.payment import refusal_of_call
from agent.remembered import sessions_for_call
from session import Decision, SessionService
from session.patience import Patience

HOSTED = {"OPENAI_API_KEY": "sk-of-a-test-only"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.remembered, "OPEN_SECONDS", 0.2)
    monkeypatch.setattr(agent.remembered, "RETRY_SECONDS", 0.02)


def away(folder: Path, **environ: str) -> Config:
    """Its data folder is a file, so nothing can be opened in it."""
    (folder / "data").write_text("not a folder")
    return load(environ={"JUNE_DATA__DIR": str(folder / "data"), **environ})


async def refused(config: Config) -> tuple[SessionService, Decision | None]:
    sessions = await sessions_for_call(config.session)
    session = await sessions.get_or_create_for_room("room", "ann")
    return sessions, await refusal_of_call(sessions, session, "call", Patience(), config)


async def test_a_call_that_costs_nothing_goes_on(tmp_path: Path) -> None:
    """It remembers only itself."""
    sessions, decision = await refused(away(tmp_path))
    assert sessions.stands_in
    assert decision is None


async def test_a_call_that_costs_is_refused_at_once(tmp_path: Path) -> None:
    """Before its greeting: nobody knows what was spent today."""
    _, decision = await refused(away(tmp_path, **HOSTED))
    assert decision == Decision(allowed=False, reason="store_is_down")


async def test_the_operator_may_let_it_spend(tmp_path: Path) -> None:
    """`when_store_is_down = "open"`."""
    config = away(tmp_path, **HOSTED, JUNE_LIMITS__WHEN_STORE_IS_DOWN="open")
    assert (await refused(config))[1] is None


async def test_a_store_that_is_starting_anew_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A moment, instead of a whole call without memory."""
    monkeypatch.setattr(agent.remembered, "OPEN_SECONDS", 5.0)
    config = away(tmp_path)
    tried = 0

    def open_sessions(*args: object, **kwargs: object) -> SessionService:
        nonlocal tried
        tried += 1
        if tried == 3:
            (tmp_path / "data").unlink()
        return SessionService(config.session)

    monkeypatch.setattr(agent.remembered, "open_sessions", open_sessions)
    sessions = await sessions_for_call(config.session)
    assert (tried, sessions.stands_in) == (3, False)
    await sessions.aclose()
