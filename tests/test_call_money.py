"""What a whole call costs: a real HTTP server that tells its usage, and the real `Call`, typed."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from speech_fakes import ScriptedSpeech
from structlog.testing import capture_logs
from test_hosted_call import Typed, Words

from agent.config import load
from agent.console.here import Ends, call_here
from agent.lines import ENGLISH
from agent.prompt import SHORTER
from bench.provider import Answer, BreakOff, Refusal, Script, ScriptedProvider, Usage

KEY = "sk-test-of-money"

PRICE = """
[prices."a-model"]
input_per_mtok = 1000
cached_input_per_mtok = 100
output_per_mtok = 2000
"""
"""A tenth of a cent for a token that it reads, a fifth for one that it writes."""

Ring = Callable[..., AbstractAsyncContextManager[Typed]]


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    script = Script(models=("a-model",))
    async with ScriptedProvider(ScriptedSpeech(), script, KEY) as serving:
        yield serving


@pytest.fixture
def ring(provider: ScriptedProvider, tmp_path: Path) -> Ring:
    """Begins a call of this provider, with these limits."""

    @asynccontextmanager
    async def ringing(limits: str = "", prices: str = PRICE) -> AsyncIterator[Typed]:
        file = tmp_path / "agent.toml"
        file.write_text(
            f'[llm]\nbase_url = {json.dumps(provider.base_url)}\nmodel = "a-model"\n'
            f'key_variable = "PROVIDER_KEY"\n[data]\ndir = {json.dumps(str(tmp_path))}\n'
            f"[skills]\nenabled = []\n[limits]\n{limits}\n{prices}"
        )
        words = Words()
        config = load(file, {"PROVIDER_KEY": KEY, "HOME": str(tmp_path)})
        async with call_here(config, Ends(words=words)) as here:
            greeting = await here.begin()
            if greeting is not None:
                await greeting.wait_for_playout()
            yield Typed(here, words)

    return ringing


def used(prompt: int, completion: int, cached: int = 0) -> Answer:
    return Answer("Paris.", usage=Usage(prompt, completion, cached))


def figures(logged: list[Any]) -> dict[str, Any]:
    ended: dict[str, Any]
    (ended,) = [entry for entry in logged if entry["event"] == "call.ended"]
    return ended


async def test_a_call_is_charged_what_the_provider_counted(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Cached tokens at their own price; the figures are in the log's last line of the call."""
    provider.script.llm = [used(100, 10), used(200, 5, cached=150)]
    with capture_logs() as logged:
        async with ring() as caller:
            for _ in range(2):
                assert await caller.says("What is the capital of France?") == "Paris."
    micros = 100 * 1000 + 10 * 2000 + 50 * 1000 + 150 * 100 + 5 * 2000
    assert figures(logged)["cost_dollars"] == pytest.approx(micros / 1e6)


async def test_a_request_that_nobody_served_costs_nothing(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """The provider said so itself."""
    provider.script.llm = [Answer(fault=Refusal.server_error())] * 2
    with capture_logs() as logged:
        async with ring() as caller:
            assert await caller.says("What is the capital of France?") == ENGLISH.trouble
    assert figures(logged)["cost_dollars"] == 0


async def test_an_answer_that_breaks_off_is_charged_by_estimate(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Its usage would have come with its end."""
    cut = Answer("The capital of France is a city.", fault=BreakOff(after_chunks=4))
    provider.script.llm = [cut]
    with capture_logs() as logged:
        async with ring() as caller:
            await caller.says("What is the capital of France?")
    told = provider.asked("llm")[0].body["messages"]
    assert figures(logged)["cost_dollars"] > len(str(told)) / 5 * 1000 / 1e6


async def test_a_call_whose_money_is_spent_ends_in_words(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Before that June is asked to be short, once most of it is gone."""
    provider.script.llm = [used(1, 4150), used(1, 1), used(1, 5000)]
    with capture_logs() as logged:
        async with ring("dollars_per_session = 10.0") as caller:
            assert await caller.says("What is the capital of France?") == "Paris."
            assert await caller.says("And of Spain?") == "Paris."
            first, second = (str(asked.body["messages"]) for asked in provider.asked("llm"))
            assert SHORTER not in first
            assert SHORTER in second
            provider.script.llm = [used(1, 5000)]
            assert await caller.says("And of Italy?") == "Paris."
            assert await caller.says("And of Malta?") == ENGLISH.session_budget
    assert len(provider.asked("llm")) == 3
    assert figures(logged)["reason"] == "limit"


async def test_a_request_that_may_cost_too_much_is_not_made(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """What it may cost at most does not fit into what is left."""
    async with ring("dollars_per_session = 0.05") as caller:
        assert await caller.says("What is the capital of France?") == ENGLISH.session_budget
    assert provider.asked("llm") == []


async def test_an_unpriced_model_is_said_once_and_handled_by_policy(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Here it is not asked at all."""
    with capture_logs() as logged:
        async with ring('unpriced = "deny"', prices="") as caller:
            heard = await caller.says("What is the capital of France?")
            assert heard == ENGLISH.out_of_budget
    assert provider.asked("llm") == []
    (said,) = [entry for entry in logged if entry["event"] == "model.unpriced"]
    assert (said["model"], said["policy"]) == ("a-model", "deny")


async def test_alerts_come_once_for_each_threshold(ring: Ring, provider: ScriptedProvider) -> None:
    """In the log of whichever call crosses it."""
    provider.script.llm = [used(1, 3000), used(1, 3000)]
    with capture_logs() as logged:
        async with ring("alert_dollars = [5.0, 10.0]\ndollars_per_day = 14.0") as caller:
            for _ in range(2):
                await caller.says("What is the capital of France?")
    told = [entry["threshold"] for entry in logged if entry["event"] == "budget.alert"]
    assert sorted(told) == ["$10", "$5", "80% of dollars_per_day"]
