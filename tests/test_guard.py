"""Who is asked for an answer, how often, and what all calls learn of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from livekit.agents import APIConnectionError, APIStatusError
from structlog.testing import capture_logs

from agent.models.busy import BusyNote
from agent.models.guard import BrokenOff, Guard, Provider, Request, TooSlow, Unanswered
from agent.models.refused import Refused
from session.breaker import ProviderBreakers
from session.circuits import FAILURES, OPEN_SECONDS, Phase
from session.limits import Decision
from session.store.memory.breakers import MemoryBreakers


def status(code: int) -> APIStatusError:
    return APIStatusError("no", status_code=code)


@dataclass
class Model:
    """Fails with each of these in turn, then answers. Local without a circuit."""

    name: str
    fails_with: list[BaseException] = field(default_factory=list)
    busy: BusyNote = field(default_factory=BusyNote)


class Scene:
    """Calls that share their breakers."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.breakers = ProviderBreakers(MemoryBreakers(), lambda: self.now)
        self.asked: list[str] = []
        self.alerts: list[str] = []
        self.has_begun = False
        self.guard = self.call("ann")

    def call(self, owner: str) -> Guard:
        guard = Guard()
        guard.open(self.breakers, owner, self.alerts.append)
        return guard

    async def ask(self, model: Model, request: Request, /, *, has_other: bool) -> None:
        self.asked.append(f"{model.name}{'+' if has_other else ''}")
        if model.fails_with:
            raise model.fails_with.pop(0)
        request.brings()

    async def answer(self, *models: Model, guard: Guard | None = None) -> list[str]:
        """Who was asked for it; `+` where somebody else could have been."""
        before = len(self.asked)
        providers = [
            Provider(one, "" if one.name == "local" else f"llm {one.name}", one.busy)
            for one in models
        ]
        await (guard or self.guard).answer(providers, self.ask, has_begun=lambda: self.has_begun)
        return self.asked[before:]

    async def unanswered(self, *models: Model, guard: Guard | None = None) -> list[str]:
        before = len(self.asked)
        with pytest.raises(Unanswered):
            await self.answer(*models, guard=guard)
        return self.asked[before:]

    async def phase(self, model: str) -> Phase | None:
        state = (await self.breakers.state()).get(f"llm {model}")
        return None if state is None else state.phase


@pytest.fixture
def scene() -> Scene:
    return Scene()


def failing(name: str, times: int = 100, error: Callable[[], BaseException] = TooSlow) -> Model:
    return Model(name, [error() for _ in range(times)])


def down() -> APIConnectionError:
    return APIConnectionError("down")


async def test_one_that_works_is_asked_once(scene: Scene) -> None:
    assert await scene.answer(Model("a")) == ["a"]
    assert await scene.answer(Model("a"), Model("b"), Model("local")) == ["a+"]


@pytest.mark.parametrize("error", [down, lambda: status(500), lambda: ValueError("not LiveKit's")])
async def test_one_that_is_alone_is_asked_twice(
    scene: Scene, error: Callable[[], BaseException]
) -> None:
    assert await scene.answer(failing("a", 1, error)) == ["a", "a"]
    assert await scene.unanswered(failing("b", 9, error)) == ["b", "b"]


@pytest.mark.parametrize(
    "error", [TooSlow, lambda: status(400), lambda: status(404), lambda: status(429)]
)
async def test_what_would_fail_again_is_not_asked_again(
    scene: Scene, error: Callable[[], BaseException]
) -> None:
    """It was wrong in itself, is unwanted, or has used up the time."""
    assert await scene.unanswered(failing("a", 9, error)) == ["a"]


async def test_the_next_one_is_asked_instead(scene: Scene) -> None:
    """Two requests for an answer, whoever they go to; this machine's own model is none."""
    assert await scene.answer(failing("a"), Model("b")) == ["a+", "b"]
    assert await scene.unanswered(failing("a", 1), failing("b", 1), Model("c")) == ["a+", "b"]
    scene = Scene()
    models = failing("a", 1), failing("b", 1), Model("c"), Model("local")
    assert await scene.answer(*models) == ["a+", "b+", "local"]


async def test_a_model_of_this_machine_has_no_breaker(scene: Scene) -> None:
    for _ in range(9):
        assert await scene.unanswered(failing("local")) == ["local"]
    assert await scene.breakers.state() == {}


async def test_what_has_begun_is_not_begun_again(scene: Scene) -> None:
    """The caller has heard a part of it."""
    scene.has_begun = True
    with pytest.raises(BrokenOff):
        await scene.answer(failing("a"), Model("b"))
    assert scene.asked == ["a+"]


async def test_an_open_breaker_is_one_for_all_calls(scene: Scene) -> None:
    """Nobody asks until it is time; then one of them does, and its answer is everybody's."""
    bob = scene.call("bob")
    for _ in range(FAILURES):
        await scene.unanswered(failing("a"))
    assert await scene.phase("a") == Phase.OPEN
    assert await scene.unanswered(Model("a"), guard=bob) == []
    assert await scene.answer(Model("a"), Model("b"), guard=bob) == ["b"]
    scene.now += OPEN_SECONDS
    assert await scene.answer(Model("a"), guard=bob) == ["a"]
    await bob.aclose()
    assert await scene.answer(Model("a")) == ["a"]


async def test_a_probe_tells_what_it_found_at_its_first_word(scene: Scene) -> None:
    """A long answer must not keep everybody else waiting."""
    for _ in range(FAILURES):
        await scene.unanswered(failing("a"))
    scene.now += OPEN_SECONDS
    speaking, may_end = asyncio.Event(), asyncio.Event()

    async def ask(_: Model, request: Request, /, *, has_other: bool) -> None:
        request.brings()
        speaking.set()
        await may_end.wait()

    long = asyncio.create_task(
        scene.guard.answer([Provider(Model("a"), "llm a")], ask, has_begun=lambda: True)
    )
    await speaking.wait()
    await scene.guard.aclose()
    assert await scene.answer(Model("a"), guard=scene.call("bob")) == ["a"]
    may_end.set()
    await long


async def cut(scene: Scene, *, guard: Guard) -> None:
    """A caller who cuts in while the model is waited for."""
    asked = asyncio.Event()

    async def ask(_: Model, __: Request, /, *, has_other: bool) -> None:
        asked.set()
        await asyncio.Event().wait()

    asking = asyncio.create_task(
        guard.answer([Provider(Model("a"), "llm a")], ask, has_begun=lambda: False)
    )
    await asked.wait()
    asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled()
    await guard.aclose()


async def test_a_barge_in_says_nothing_of_a_provider(scene: Scene) -> None:
    for _ in range(FAILURES + 1):
        await cut(scene, guard=scene.guard)
    assert await scene.phase("a") is None


async def test_a_probe_that_is_cut_off_leaves_the_next_one_to_others(scene: Scene) -> None:
    for _ in range(FAILURES):
        await scene.unanswered(failing("a"))
    scene.now += OPEN_SECONDS
    await cut(scene, guard=scene.guard)
    assert await scene.answer(Model("a"), guard=scene.call("bob")) == ["a"]


async def test_busy_is_until_it_says(scene: Scene) -> None:
    busy = failing("a", 1, lambda: status(429))
    busy.busy.read(429, {"Retry-After": "7"})
    await scene.unanswered(busy)
    scene.now += 6.9
    assert await scene.unanswered(busy) == []
    scene.now += 0.1
    assert await scene.answer(busy) == ["a"]


@pytest.mark.parametrize("code", [401, 403])
async def test_a_key_that_is_refused_is_told_once(scene: Scene, code: int) -> None:
    for _ in range(3):
        await scene.unanswered(failing("a", 9, lambda: status(code)))
        scene.now += 601
    assert scene.alerts == ["llm a"]


async def test_no_money_is_no_failure(scene: Scene) -> None:
    """The call ends with the reason; nobody else is asked instead."""
    refused = failing("a", 9, lambda: Refused(Decision(allowed=False, reason="out_of_budget")))
    for _ in range(FAILURES + 1):
        with pytest.raises(Refused):
            await scene.answer(refused, Model("b"))
    assert await scene.phase("a") is None


async def test_without_a_store_yet_everybody_may_be_asked() -> None:
    """A guard that was not opened, as of June's lines before any call."""
    scene = Scene()
    assert await scene.answer(Model("a"), guard=Guard()) == ["a"]
    assert await scene.unanswered(failing("a"), guard=Guard()) == ["a"]


async def test_the_log_names_who_failed_and_no_word_of_it(scene: Scene) -> None:
    with capture_logs() as logs:
        await scene.unanswered(failing("a", 9, lambda: ValueError("secret words")))
    assert [(one["event"], one["circuit"]) for one in logs] == [("provider.failed", "llm a")] * 2
    assert "secret" not in str(logs)
