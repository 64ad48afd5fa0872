"""The scripted LLM, as LiveKit's own plugin for OpenAI reads it."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from livekit.agents import (
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APIStatusError,
    llm,
)
from livekit.plugins import openai
from speech_fakes import ScriptedSpeech, ScriptedVAD

from bench.provider import (
    Answer,
    AnswerFault,
    BreakOff,
    Empty,
    Ending,
    ErrorEvent,
    Garbage,
    Hang,
    Refusal,
    Script,
    ScriptedProvider,
    ToolUse,
    Usage,
    WrongAnswer,
)

ONCE = APIConnectOptions(max_retry=0, timeout=0.6)


@dataclass
class Said:
    text: str = ""
    tools: list[tuple[str, str]] = field(default_factory=list)
    usage: llm.CompletionUsage | None = None
    error: APIError | None = None


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), detector=ScriptedVAD()) as provider:
        yield provider


@pytest.fixture
async def model(provider: ScriptedProvider) -> AsyncIterator[openai.LLM]:
    model = openai.LLM(model="gpt-4.1-mini", base_url=provider.base_url, api_key="sk-any")
    yield model
    await model.aclose()


@llm.function_tool
async def look_at_clock(zone: str) -> str:
    """Tell the time."""
    return zone


async def ask(model: openai.LLM, text: str = "What time is it?") -> Said:
    context = llm.ChatContext.empty()
    context.add_message(role="system", content="You are June.")
    context.add_message(role="user", content=text)
    said = Said()
    try:
        async with model.chat(chat_ctx=context, tools=[look_at_clock], conn_options=ONCE) as stream:
            async for chunk in stream:
                if chunk.delta is not None:
                    said.text += chunk.delta.content or ""
                    said.tools += [(use.name, use.arguments) for use in chunk.delta.tool_calls]
                said.usage = chunk.usage or said.usage
    except APIError as error:
        said.error = error
    return said


async def test_the_plugin_hears_the_scripts_words(
    provider: ScriptedProvider, model: openai.LLM
) -> None:
    """With their cost, and the request is in the journal."""
    provider.script.llm = [Answer("It is noon, “June” — précisément.", usage=Usage(120, 9, 64))]
    said = await ask(model)

    assert said.text == "It is noon, “June” — précisément."
    assert said.usage is not None
    assert (said.usage.prompt_tokens, said.usage.completion_tokens) == (120, 9)
    assert (said.usage.prompt_cached_tokens, said.usage.total_tokens) == (64, 129)
    (asked,) = provider.asked("llm")
    assert await asked.over() is Ending.COMPLETED
    assert (asked.key, asked.text) == ("sk-any", said.text)
    assert asked.body["messages"][-1]["content"] == "What time is it?"


async def test_the_cost_is_estimated_when_the_script_gives_none(
    provider: ScriptedProvider, model: openai.LLM
) -> None:
    """More words cost more, said or heard."""
    provider.script.llm = [Answer("Yes."), Answer("Yes, and a good many words beside it.")]
    short, long = await ask(model), await ask(model, "Tell me rather more than you did. " * 5)
    assert short.usage is not None
    assert long.usage is not None
    assert 0 < short.usage.prompt_tokens < long.usage.prompt_tokens
    assert 0 < short.usage.completion_tokens < long.usage.completion_tokens


async def test_tools_are_used_with_their_arguments(
    provider: ScriptedProvider, model: openai.LLM
) -> None:
    """Several in one answer, after words or without any; broken JSON arrives as it is."""
    provider.script.llm = [
        Answer("A moment.", tools=[ToolUse("look_at_clock", {"zone": "UTC"})]),
        Answer(tools=[ToolUse("look_at_clock", '{"zone": '), ToolUse("look_at_clock")]),
    ]
    first, second = await ask(model), await ask(model)
    assert first.text == "A moment."
    assert first.tools == [("look_at_clock", '{"zone": "UTC"}')]
    assert second.text == ""
    assert second.tools == [("look_at_clock", '{"zone": '), ("look_at_clock", "{}")]


async def test_a_script_may_answer_by_what_was_asked(
    provider: ScriptedProvider, model: openai.LLM
) -> None:
    """It sees the caller's words, the tools, and later what a tool answered."""
    provider.script.llm = lambda request: Answer(
        f"{request.tool_names} {request.last_user_text} {request.tool_output}"
    )
    assert (await ask(model)).text == "['look_at_clock'] What time is it? None"

    context = llm.ChatContext.empty()
    context.add_message(role="user", content="And now?")
    use = llm.FunctionCall(call_id="call_7", name="look_at_clock", arguments="{}")
    answer = llm.FunctionCallOutput(
        call_id="call_7", name="look_at_clock", output="noon", is_error=False
    )
    context.items += [use, answer]
    collected = await model.chat(chat_ctx=context, conn_options=ONCE).collect()
    assert collected.text == "[] And now? noon"


async def test_tokens_come_at_their_rate(provider: ScriptedProvider, model: openai.LLM) -> None:
    """The first when the script says, the rest one after the other."""
    await ask(model)
    provider.script.llm = [Answer("word " * 20, first_token_seconds=0.2, tokens_per_second=50)]
    await ask(model)
    (_, asked) = provider.asked("llm")
    assert asked.first_at is not None
    assert asked.ended_at is not None
    assert 0.2 <= asked.first_at - asked.at < 1.0
    assert 0.38 <= asked.ended_at - asked.first_at < 1.5


async def test_an_answer_is_no_longer_than_was_asked_for(provider: ScriptedProvider) -> None:
    """And says that it was cut."""
    body = {
        "model": "gpt-4.1-mini",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Go on."}]}],
        "max_completion_tokens": 3,
    }
    provider.script.llm = lambda request: Answer(f"{request.last_user_text} One two three.")
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{provider.base_url}/chat/completions", json=body) as response,
    ):
        answer = await response.json()
    assert answer["choices"][0]["message"]["content"] == "Go on."
    assert answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("fault", [Empty(), WrongAnswer(), WrongAnswer("{", "application/json")])
async def test_the_plugin_takes_what_is_no_answer_for_an_empty_one(
    provider: ScriptedProvider, model: openai.LLM, fault: AnswerFault
) -> None:
    """Without any error: whoever uses it must notice that nothing was said."""
    provider.script.llm = [Answer(fault=fault)]
    said = await ask(model)
    assert (said.text, said.tools, said.error) == ("", [], None)
    assert provider.journal[0].ending is Ending.FAULT


REFUSALS = [
    (Refusal.wrong_key(), False),
    (Refusal.unknown_model("gpt-0"), False),
    (Refusal.rate_limited(), True),
    (Refusal.rate_limited(None), True),
    (Refusal.quota_exceeded(), True),
    (Refusal.server_error(), True),
]


@pytest.mark.parametrize(("refusal", "retryable"), REFUSALS)
async def test_a_refusal_reaches_the_plugin_with_its_status(
    provider: ScriptedProvider, model: openai.LLM, refusal: Refusal, retryable: bool
) -> None:
    """With OpenAI's body, from which a code can be read."""
    provider.script.llm = [Answer(fault=refusal)]
    error = (await ask(model)).error
    assert isinstance(error, APIStatusError)
    assert (error.status_code, error.retryable) == (refusal.status, retryable)
    body: Any = error.body
    assert body["code"] == refusal.code
    assert error.request_id == provider.journal[0].id


BROKEN = [
    (BreakOff(), "", True),
    (Hang(), "", True),
    (BreakOff(after_seconds=0), "", True),
    (Hang(after_seconds=0), "", True),
    (Garbage(), "", True),
    (Garbage(after_chunks=2), "One two", False),
    (BreakOff(after_chunks=2), "One two", False),
    (Hang(after_chunks=2), "One two", False),
    (ErrorEvent(after_chunks=2), "One two", False),
    (BreakOff(after_chunks=99), "One two three.", False),
]


@pytest.mark.parametrize(("fault", "heard", "retryable"), BROKEN)
async def test_an_answer_breaks_where_the_script_says(
    provider: ScriptedProvider,
    model: openai.LLM,
    fault: AnswerFault,
    heard: str,
    retryable: bool,
) -> None:
    """What came before is heard, and after it an error; also when there were too few chunks."""
    provider.script.llm = [Answer("One two three.", fault=fault)]
    said = await ask(model)
    assert said.text == heard
    assert said.error is not None
    assert said.error.retryable is retryable
    assert await provider.journal[0].over() is Ending.FAULT
    assert (await ask(model)).text == "I hear you."


async def test_a_stream_may_begin_and_then_say_nothing(provider: ScriptedProvider) -> None:
    """The headers come; and the reason of a 429 may come without a time."""
    provider.script.llm = [
        Answer(fault=Hang(after_seconds=0)),
        Answer(fault=Refusal.rate_limited(7)),
        Answer(fault=Refusal.rate_limited(None)),
    ]
    messages = [{"role": "user", "content": "Go on."}]
    body = {"model": "gpt-4.1-mini", "messages": messages, "stream": True}
    address = f"{provider.base_url}/chat/completions"
    async with aiohttp.ClientSession() as client:
        async with client.post(address, json=body) as response:
            assert (response.status, response.content_type) == (200, "text/event-stream")
            assert b'"role": "assistant"' in await response.content.readline()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await response.content.readuntil(b'"content": "I')
        async with client.post(address, json=body) as response:
            assert response.headers["Retry-After"] == "7"
        async with client.post(address, json=body) as response:
            assert response.status == 429
            assert "Retry-After" not in response.headers


async def test_nobody_may_listen_for_a_while(provider: ScriptedProvider, model: openai.LLM) -> None:
    """What is being answered breaks, connections that were kept are gone; then all is as before."""
    assert (await ask(model)).error is None
    provider.script.llm = [Answer("word " * 500)]
    asking = asyncio.create_task(ask(model))
    await provider.wait_for("llm", 2)
    await provider.refuse()
    assert isinstance((await asking).error, APIConnectionError)
    assert await provider.asked("llm")[1].over() is Ending.STOPPED

    assert isinstance((await ask(model)).error, APIConnectionError)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", urlsplit(provider.site_url).port)
    address = provider.base_url
    await provider.listen()
    assert provider.base_url == address
    assert (await ask(model)).text == "I hear you."
    assert len(provider.asked("llm")) == 3


async def test_an_answer_that_nobody_waits_for_is_cancelled(
    provider: ScriptedProvider, model: openai.LLM
) -> None:
    """As when the caller interrupts: nothing goes on behind it."""
    provider.script = Script(llm=[Answer("word " * 500)])
    before = asyncio.all_tasks()
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="Talk.")
    async with model.chat(chat_ctx=context, conn_options=ONCE) as stream:
        await anext(stream)
    left = time.monotonic()

    (asked,) = provider.asked("llm")
    assert await asked.over() is Ending.CANCELLED
    assert asked.ended_at is not None
    assert asked.ended_at - left < 1.0
    assert 0 < len(asked.text) < 500
    assert {task for task in asyncio.all_tasks() - before if "provider" in repr(task)} == set()
