"""A whole call with a hosted model, typed: the same `Call` as in a room, a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from livekit.agents.voice.io import TextOutput
from speech_fakes import ScriptedSpeech
from structlog.testing import capture_logs

from agent.config import load
from agent.console.here import Ends, HereCall, call_here
from agent.lines import ENGLISH, GERMAN
from agent.models.guard import MOST_REQUESTS
from agent.reply import LONGEST_CHARACTERS
from bench.provider import (
    Answer,
    BreakOff,
    Empty,
    ErrorEvent,
    Refusal,
    Script,
    ScriptedProvider,
    ToolUse,
    WrongAnswer,
)

KEY = "sk-test-of-a-call"


class Words(TextOutput):
    """What June says, an entry for each time that she speaks."""

    def __init__(self) -> None:
        super().__init__(label="test", next_in_chain=None)
        self.said: list[str] = []
        self._now = ""

    async def capture_text(self, text: str) -> None:
        self._now += text

    def flush(self) -> None:
        if self._now:
            self.said.append(self._now)
        self._now = ""


class Typed:
    """A caller who types, and waits for each answer."""

    def __init__(self, here: HereCall, words: Words) -> None:
        self.here = here
        self.words = words

    async def says(self, text: str) -> str:
        """Everything that June says to it."""
        before = len(self.words.said)
        async with asyncio.timeout(30):
            speech = await self.here.call.type(text)
            await speech.wait_for_playout()
            if self.here.call.ending.reason is not None:
                await self.here.over.wait()
        return " ".join(self.words.said[before:])


Ring = Callable[..., AbstractAsyncContextManager[Typed]]


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), Script(models=("gpt-6-luna",)), KEY) as serving:
        yield serving


@pytest.fixture
def ring(provider: ScriptedProvider, tmp_path: Path) -> Ring:
    """Begins a call of this provider, with these settings."""

    @asynccontextmanager
    async def ringing(**environ: str) -> AsyncIterator[Typed]:
        given = {
            "JUNE_LLM__BASE_URL": provider.base_url,
            "JUNE_DATA__DIR": str(tmp_path),
            "JUNE_LLM__KEY_VARIABLE": "PROVIDER_KEY",
            "PROVIDER_KEY": KEY,
        }
        words = Words()
        async with call_here(load(environ={**given, **environ}), Ends(words=words)) as here:
            greeting = await here.begin()
            if greeting is not None:
                await greeting.wait_for_playout()
            yield Typed(here, words)

    return ringing


async def test_a_question_is_answered_by_the_model(ring: Ring, provider: ScriptedProvider) -> None:
    """Which is told who June is, what was said, and how long an answer may be."""
    provider.script.llm = [Answer("Paris, as far as I know.")]
    async with ring(
        JUNE_AGENT__PERSONA="You are Ada.", JUNE_AGENT__INSTRUCTIONS="The shop opens at nine."
    ) as caller:
        assert await caller.says("What is the capital of France?") == "Paris, as far as I know."
        assert caller.words.said[0] == ENGLISH.greeting
    (asked,) = provider.asked("llm")
    assert asked.key == KEY
    system, *said = asked.body["messages"]
    assert "You are Ada." in system["content"]
    assert "The shop opens at nine." in system["content"]
    assert [one["role"] for one in said] == ["assistant", "user"]
    assert asked.body["max_tokens"] == 200
    assert "temperature" not in asked.body
    tools = {tool["function"]["name"] for tool in asked.body["tools"]}
    assert {"end_call", "set_timer", "begin_storyteller"} <= tools
    assert not {"leave_skill", "answer_question"} & tools


async def test_what_is_configured_is_asked_for(ring: Ring, provider: ScriptedProvider) -> None:
    """Temperature, length and language."""
    provider.script.llm = [Answer("Guten Tag.")]
    async with ring(
        JUNE_LLM__TEMPERATURE="0.3",
        JUNE_LLM__MAX_OUTPUT_TOKENS="50",
        JUNE_AGENT__LANGUAGE="de",
    ) as caller:
        assert caller.words.said[0] == GERMAN.greeting
        await caller.says("Guten Tag")
    (asked,) = provider.asked("llm")
    assert (asked.body["temperature"], asked.body["max_tokens"]) == (0.3, 50)
    assert "Speak German" in asked.body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        pytest.param(None, ENGLISH.goodbye, id="without a word"),
        pytest.param("Goodbye, Ann.", "Goodbye, Ann.", id="in the model's own words"),
        pytest.param("\N{WAVING HAND SIGN}", ENGLISH.goodbye, id="with a sign"),
    ],
)
async def test_the_model_can_end_the_call(
    ring: Ring, provider: ScriptedProvider, text: str | None, heard: str
) -> None:
    """One goodbye, and the model is not asked again."""
    provider.script.llm = [Answer(text, tools=[ToolUse("end_call")])]
    with capture_logs() as logs:
        async with ring() as caller:
            assert (await caller.says("Well, off you go then.")).endswith(heard)
            assert caller.here.over.is_set()
    assert len(provider.asked("llm")) == 1
    (ended,) = [entry for entry in logs if entry["event"] == "call.ended"]
    assert ended["reason"] == "goodbye"
    (used,) = ended["usage"]
    assert used["model"] == "gpt-6-luna"
    assert used["input_tokens"] > 100


def tool(name: str, arguments: str | dict[str, Any] = "{}") -> Answer:
    return Answer(tools=[ToolUse(name, arguments)])


@pytest.mark.parametrize(
    "uses",
    [
        pytest.param([tool("fly_to_the_moon"), Answer("I can't.")], id="a tool that is none"),
        pytest.param([tool("fly", "{broken"), Answer("I can't.")], id="broken JSON"),
    ],
)
async def test_a_tool_that_cannot_be_used_is_told_to_the_model(
    ring: Ring, provider: ScriptedProvider, uses: list[Answer]
) -> None:
    """Which then says so; the call goes on."""
    provider.script.llm = uses
    async with ring() as caller:
        assert await caller.says("Fly to the moon.") == "I can't."
        assert await caller.says("All right.") == "I hear you."


async def test_broken_arguments_of_a_known_tool_do_not_cost_the_call(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """The call ends as the model wanted, or goes on; the caller hears a sentence."""
    provider.script.llm = [tool("end_call", '{"why": '), Answer("Sorry?")]
    async with ring() as caller:
        said = await caller.says("Well, off you go then.")
        assert said in (ENGLISH.goodbye, "Sorry?")


async def test_a_goodbye_needs_no_model(ring: Ring, provider: ScriptedProvider) -> None:
    """June says her own, and hangs up."""
    async with ring() as caller:
        assert await caller.says("Thank you, goodbye.") == ENGLISH.goodbye
        assert caller.here.over.is_set()
    assert provider.asked("llm") == []


async def test_a_model_that_uses_tools_for_ever_is_stopped(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """After a few steps it is made to answer in words; if it does not, June does."""
    provider.script.llm = lambda request: tool("again") if request.tools else Answer("Enough.")
    async with ring() as caller:
        assert await caller.says("Go round in circles.") in ("Enough.", ENGLISH.not_understood)
    assert len(provider.asked("llm")) <= 5


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        pytest.param(Answer(fault=Empty()), ENGLISH.trouble, id="empty"),
        pytest.param(Answer("**  **\n---"), ENGLISH.not_understood, id="only markdown"),
        pytest.param(Answer("🎉🎉"), ENGLISH.not_understood, id="only emoji"),
    ],
)
async def test_an_answer_with_nothing_to_say_becomes_a_sentence(
    ring: Ring, provider: ScriptedProvider, answer: Answer, heard: str
) -> None:
    """And the next turn is an ordinary one."""
    provider.script.llm = lambda _: answer
    async with ring() as caller:
        assert (await caller.says("Hello?")).endswith(heard)
        provider.script.llm = []
        assert await caller.says("Hello?") == "I hear you."


async def test_an_answer_of_five_thousand_words_is_cut(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """At the end of a sentence, and the provider is told to stop."""
    text = "The knight rode on through the wood. " * 715
    provider.script.llm = [Answer(text, tokens_per_second=100_000)]
    async with ring(JUNE_LLM__MAX_OUTPUT_TOKENS="16000") as caller:
        heard = await caller.says("Tell me everything.")
    assert heard.endswith(ENGLISH.more_to_say)
    assert len(heard) < LONGEST_CHARACTERS + 500


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Refusal.unknown_model("gpt-6-luna"), id="the model is gone"),
        pytest.param(Refusal.bad_request("no"), id="400"),
        pytest.param(WrongAnswer(), id="a web page"),
        pytest.param(WrongAnswer("{", "application/json"), id="broken JSON"),
        pytest.param(WrongAnswer("hello", "text/plain"), id="plain text"),
    ],
)
async def test_a_provider_that_fails_is_apologised_for(
    ring: Ring, provider: ScriptedProvider, fault: Any
) -> None:
    """In words, once; the question stays in the history, and the next answer is an ordinary one."""
    provider.script.llm = lambda _: Answer(fault=fault)
    async with ring() as caller:
        heard = await caller.says("What is the capital of France?")
        assert heard == ENGLISH.trouble
        assert len(provider.asked("llm")) <= MOST_REQUESTS
        provider.script.llm = []
        assert await caller.says("Are you there?") == "I hear you."
    last = provider.asked("llm")[-1].body["messages"]
    assert "capital of France" in str(last)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Refusal.wrong_key(), id="the key has expired"),
        pytest.param(Refusal.forbidden(), id="403"),
        pytest.param(Refusal.rate_limited(), id="too many requests"),
    ],
)
async def test_a_provider_that_wants_no_requests_gets_none(
    ring: Ring, provider: ScriptedProvider, fault: Any
) -> None:
    """Not in this turn, nor in the next; the caller hears a sentence at once."""
    provider.script.llm = [Answer(fault=fault)]
    async with ring() as caller:
        assert await caller.says("What is the capital of France?") == ENGLISH.trouble
        assert await caller.says("Are you there?") == ENGLISH.trouble
    assert len(provider.asked("llm")) == 1


@pytest.mark.parametrize(
    "fault", [Refusal.server_error(), BreakOff(), Empty()], ids=lambda f: str(f)[:20]
)
async def test_a_provider_that_fails_once_is_asked_again(
    ring: Ring, provider: ScriptedProvider, fault: Any
) -> None:
    """Once; what failed before a word was heard need not be heard at all."""
    provider.script.llm = [Answer(fault=fault), Answer("Paris.")]
    async with ring() as caller:
        assert await caller.says("What is the capital of France?") == "Paris."
    assert len(provider.asked("llm")) == 2


@pytest.mark.parametrize("fault", [BreakOff(after_chunks=4), ErrorEvent(after_chunks=4)])
async def test_an_answer_that_breaks_off_ends_with_a_sentence(
    ring: Ring, provider: ScriptedProvider, fault: Any
) -> None:
    """And is kept as it was heard."""
    provider.script.llm = [Answer("The capital of France is a large city.", fault=fault)]
    async with ring() as caller:
        heard = await caller.says("What is the capital of France?")
        assert heard.startswith("The capital")
        assert heard.endswith(ENGLISH.lost_words)
        await caller.says("Go on.")
    last = provider.asked("llm")[-1].body["messages"]
    assert ENGLISH.lost_words in str(last)


async def test_a_message_that_is_too_long_costs_nothing(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Ten thousand words, and some control characters: a sentence, and no request."""
    async with ring() as caller:
        assert await caller.says("very \x00\x1b[31m" * 10_000) == ENGLISH.input_too_long
        assert provider.asked("llm") == []
        assert await caller.says("\x07Hello\x00") == "I hear you."
