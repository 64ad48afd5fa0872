"""Every request to a language model is reserved before it, and settled once, however it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.agents import (
    Agent,
    AgentSession,
    APIConnectionError,
    APIConnectOptions,
    APIError,
    APIStatusError,
    APITimeoutError,
    ErrorEvent,
    function_tool,
    llm,
)
from livekit.agents.metrics import LLMMetrics
from livekit.agents.voice.agent_session import SessionConnectOptions
from livekit.agents.voice.run_result import RunResult
from purse_fakes import RecordingPurse, cancelled_after
from pydantic import SecretStr
from speech_fakes import ScriptedSpeech

from agent.models.metered_llm import MeteredLLM, request_tokens
from agent.models.offline import OfflineLLM
from agent.models.openai import openai_llm
from agent.models.refused import Refused
from agent.settings import LlmSettings
from bench.provider import Answer, BreakOff, Hang, Refusal, Script, ScriptedProvider, Usage
from session.tokens import MESSAGE_TOKENS, estimate_tokens
from session.usage import ModelUsed
from session.usage import Usage as Used

ONCE = APIConnectOptions(max_retry=0, timeout=0.5)
TWICE = APIConnectOptions(max_retry=1, retry_interval=0.01, timeout=0.5)
MODEL = "gpt-6-luna"
LONGEST = 200

Step = str | llm.CompletionUsage | Exception | None


class Model(llm.LLM[str]):
    """Goes through the steps of one attempt after the other: words, usage, an error, or silence."""

    def __init__(self, *attempts: Sequence[Step]) -> None:
        super().__init__()
        self.attempts = list(attempts)
        self.asked: list[dict[str, Any]] = []
        self.open = 0
        self.is_closed = False
        self.is_warm = False

    @property
    def model(self) -> str:
        return MODEL

    @property
    def provider(self) -> str:
        return "api.example.org"

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.is_warm = True

    def chat(self, **asked: Any) -> "Reply":
        self.asked.append(asked)
        steps = self.attempts.pop(0) if self.attempts else ()
        context = {name: asked[name] for name in ("chat_ctx", "tools", "conn_options")}
        return Reply(self, steps, **context)

    async def aclose(self) -> None:
        self.is_closed = True


class Reply(llm.LLMStream):
    def __init__(self, owner: Model, steps: Sequence[Step], **context: Any) -> None:
        super().__init__(owner, **context)
        self._owner = owner
        self._steps = steps

    async def _run(self) -> None:
        self._owner.open += 1
        try:
            for step in self._steps:
                await asyncio.sleep(0)
                match step:
                    case str():
                        self._event_ch.send_nowait(words(step))
                    case llm.CompletionUsage():
                        self._event_ch.send_nowait(llm.ChatChunk(id="1", usage=step))
                    case Exception():
                        raise step
                    case None:
                        await asyncio.Event().wait()
        finally:
            try:
                await asyncio.sleep(0)  # closing a connection takes its time
            finally:
                self._owner.open -= 1


def words(text: str) -> llm.ChatChunk:
    return llm.ChatChunk(id="1", delta=llm.ChoiceDelta(role="assistant", content=text))


def counted(prompt: int, completion: int, cached: int = 0) -> llm.CompletionUsage:
    return llm.CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        prompt_cached_tokens=cached,
        total_tokens=prompt + completion,
    )


def question(text: str = "What is the capital of France?") -> llm.ChatContext:
    chat_ctx = llm.ChatContext.empty()
    chat_ctx.add_message(role="system", content="You are June.")
    chat_ctx.add_message(role="user", content=text)
    return chat_ctx


READ = request_tokens(question(), [])


def metered(model: llm.LLM[str], purse: RecordingPurse) -> MeteredLLM:
    return MeteredLLM(model, purse, max_output_tokens=LONGEST)


async def answer(model: llm.LLM[str], conn_options: APIConnectOptions = ONCE) -> str:
    response = await model.chat(chat_ctx=question(), conn_options=conn_options).collect()
    return response.text


async def test_what_the_provider_counted_is_settled() -> None:
    """Once, with what was reserved for it before."""
    purse = RecordingPurse()
    model = Model(["Paris", ".", counted(120, 7, cached=64)])
    assert await answer(metered(model, purse)) == "Paris."
    assert purse.asked == [
        (
            ModelUsed("llm", "api.example.org", MODEL),
            Used(input_tokens=READ, output_tokens=LONGEST),
        )
    ]
    used = Used(input_tokens=120, cached_input_tokens=64, output_tokens=7)
    assert purse.only() == (used, False)


@pytest.mark.parametrize(
    "usage", [[], [counted(0, 0)], [counted(-5, 0)]], ids=["none", "nothing", "nonsense"]
)
async def test_an_answer_whose_tokens_nobody_counted_is_estimated(usage: list[Step]) -> None:
    """High: by what was asked and what was said, and of tools by their arguments."""
    purse = RecordingPurse()
    assert await answer(metered(Model(["Paris", ".", *usage]), purse)) == "Paris."
    written = estimate_tokens("Paris.")
    assert purse.only() == (Used(input_tokens=READ, output_tokens=written), True)


async def test_the_use_of_a_tool_is_written_too() -> None:
    """It has no words, and is not free."""
    use = llm.FunctionToolCall(name="weather", arguments='{"city": "Paris"}', call_id="1")
    chunk = llm.ChatChunk(id="1", delta=llm.ChoiceDelta(tool_calls=[use]))

    class Using(Reply):
        async def _run(self) -> None:
            self._event_ch.send_nowait(chunk)

    class Tools(Model):
        def chat(self, **asked: Any) -> Using:
            context = {name: asked[name] for name in ("chat_ctx", "tools", "conn_options")}
            return Using(self, (), **context)

    purse = RecordingPurse()
    stream = metered(Tools(), purse).chat(chat_ctx=question(), conn_options=ONCE)
    assert (await stream.collect()).tool_calls == [use]
    used, is_estimate = purse.only()
    assert used.output_tokens == estimate_tokens('weather{"city": "Paris"}')
    assert is_estimate


@pytest.mark.parametrize(
    ("steps", "used"),
    [
        pytest.param([APIConnectionError()], Used(), id="nobody there"),
        pytest.param([APIStatusError("no", status_code=401)], Used(), id="401"),
        pytest.param([APIStatusError("no", status_code=500)], Used(), id="500"),
        pytest.param([APITimeoutError()], Used(READ), id="too late"),
        pytest.param([APIError("what?")], Used(READ), id="something else"),
        pytest.param(
            ["Par", APIConnectionError()],
            Used(READ, output_tokens=estimate_tokens("Par")),
            id="in the middle",
        ),
    ],
)
async def test_a_request_that_failed_costs_what_it_may_have_cost(
    steps: list[Step], used: Used
) -> None:
    """Nothing where nobody has begun to answer; a late answer is charged all the same."""
    purse = RecordingPurse()
    with pytest.raises(APIError) as raised:
        await answer(metered(Model(steps), purse))
    assert raised.value is steps[-1]
    assert purse.only() == (used, True)


async def test_what_was_counted_before_an_error_stays_counted() -> None:
    """The provider has told, and then broke off."""
    purse = RecordingPurse()
    with pytest.raises(APIError):
        await answer(metered(Model(["Paris.", counted(9, 2), APIConnectionError()]), purse))
    assert purse.only() == (Used(9, output_tokens=2), False)


async def test_a_request_that_cannot_even_be_made_costs_nothing() -> None:
    """The model refuses its arguments."""

    class Broken(Model):
        def chat(self, **asked: Any) -> Reply:
            raise ValueError("no")

    purse = RecordingPurse()
    with pytest.raises(ValueError, match="no"):
        await answer(metered(Broken(), purse))
    assert purse.only() == (Used(), True)


async def test_each_attempt_is_paid_for_by_itself() -> None:
    """LiveKit makes them from outside; the model itself does not try again."""
    purse = RecordingPurse()
    model = Model([APITimeoutError()], ["Paris.", counted(120, 2)])
    errors: list[llm.LLMError] = []
    paying = metered(model, purse)
    paying.on("error", errors.append)
    assert await answer(paying, TWICE) == "Paris."
    assert [one["conn_options"].max_retry for one in model.asked] == [0, 0]
    assert [(one.used, one.is_estimate) for one in purse.settled] == [
        (Used(READ), True),
        (Used(120, output_tokens=2), False),
    ]
    assert [(error.recoverable, error.label) for error in errors] == [(True, model.label)]


async def test_without_money_nothing_is_asked() -> None:
    """The error says why, and is not tried again."""
    purse = RecordingPurse(pays_for=0)
    model = Model(["Paris."])
    errors: list[llm.LLMError] = []
    paying = metered(model, purse)
    paying.on("error", errors.append)
    with pytest.raises(Refused) as raised:
        await answer(paying, TWICE)
    assert raised.value.decision.reason == "out_of_budget"
    assert (model.asked, purse.refused, purse.settled) == ([], 1, [])
    assert [(error.error, error.recoverable) for error in errors] == [(raised.value, False)]


async def test_money_that_ends_between_two_attempts_ends_the_answer() -> None:
    """With the reason, and not with the error before it."""
    purse = RecordingPurse(pays_for=1)
    with pytest.raises(Refused):
        await answer(metered(Model([APITimeoutError()], ["Paris."]), purse), TWICE)
    assert purse.only() == (Used(READ), True)


async def test_an_answer_that_is_cut_off_is_settled_at_once() -> None:
    """A barge-in: by what was said so far."""
    purse = RecordingPurse()
    model = Model(["Once upon", " a time", None])
    async with metered(model, purse).chat(chat_ctx=question(), conn_options=ONCE) as stream:
        said = [await anext(stream), await anext(stream)]
    assert len(said) == 2
    assert model.open == 0
    written = estimate_tokens("Once upon a time")
    assert purse.only() == (Used(READ, output_tokens=written), True)


async def test_an_answer_that_nobody_waits_for_is_never_asked() -> None:
    """It is closed before its task has begun."""
    purse = RecordingPurse()
    model = Model(["Paris."])
    await metered(model, purse).chat(chat_ctx=question(), conn_options=ONCE).aclose()
    assert (purse.asked, model.asked) == ([], [])


@settings(max_examples=150, deadline=None)
@given(
    turns=st.integers(0, 60),
    reserving=st.integers(0, 4),
    attempts=st.lists(
        st.lists(
            st.sampled_from(["word", counted(9, 3), APITimeoutError(), APIConnectionError(), None]),
            max_size=4,
        ),
        min_size=1,
        max_size=3,
    ),
    pays_for=st.integers(0, 3),
)
def test_whenever_it_ends_what_was_reserved_is_settled_once(
    turns: int, reserving: int, attempts: list[list[Step]], pays_for: int
) -> None:
    """At every turn of the event loop, also in the middle of a reservation or of closing."""

    async def call() -> None:
        purse = RecordingPurse(pays_for=pays_for, turns=reserving)
        model = Model(*attempts)
        options = APIConnectOptions(max_retry=2, retry_interval=0.0, timeout=1)

        async def turn() -> None:
            async with metered(model, purse).chat(
                chat_ctx=question(), conn_options=options
            ) as stream:
                async for _ in stream:
                    pass

        await cancelled_after(turns, turn)
        assert purse.left_open == 0
        assert len(purse.settled) == pays_for - purse.pays_for
        assert len(model.asked) == len(purse.settled)
        assert model.open == 0

    asyncio.run(call())


async def test_it_looks_as_the_model_does() -> None:
    """Name, host and label; it is warmed and closed with it, and is told what LiveKit says."""
    model = Model(["Paris."])
    paying = metered(model, RecordingPurse())
    assert (paying.model, paying.provider, paying.label) == (MODEL, "api.example.org", model.label)
    assert paying.metrics_metadata == model.metrics_metadata
    paying.prewarm()
    assert model.is_warm
    stream = paying.chat(chat_ctx=question(), conn_options=ONCE, tool_choice="none")
    await stream.collect()
    assert model.asked[0]["tool_choice"] == "none"
    async with paying:
        pass
    assert model.is_closed


async def test_the_offline_brain_is_local() -> None:
    """So that its work costs nothing."""
    purse = RecordingPurse()
    assert await answer(metered(OfflineLLM(), purse))
    assert purse.asked[0][0] == ModelUsed("llm", "local", "offline-brain")


@function_tool
async def weather(city: str) -> str:
    """What the weather is like."""
    return f"Fine in {city}."


def test_everything_that_is_sent_is_estimated() -> None:
    """Messages, the use of tools and what came of it, and the tools themselves."""
    chat_ctx = question("a" * 100)
    chat_ctx.items.append(llm.FunctionCall(call_id="1", name="weather", arguments="{}"))
    chat_ctx.items.append(
        llm.FunctionCallOutput(call_id="1", name="weather", output="Fine.", is_error=False)
    )
    chat_ctx.items.append(llm.AgentHandoff(new_agent_id="somebody"))
    texts = ["You are June.", "a" * 100, "weather{}", "Fine."]
    assert request_tokens(chat_ctx, []) == sum(map(estimate_tokens, texts))
    assert request_tokens(chat_ctx, [weather]) > request_tokens(chat_ctx, []) + MESSAGE_TOKENS


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), Script(models=(MODEL,))) as serving:
        yield serving


def real(provider: ScriptedProvider) -> llm.LLM[str]:
    settings = LlmSettings(base_url=provider.base_url, model=MODEL)
    return openai_llm(settings, SecretStr("sk-any"))


async def test_over_the_real_plugin_the_providers_count_is_settled(
    provider: ScriptedProvider,
) -> None:
    """Host and model as the plugin knows them."""
    provider.script.llm = [Answer("Paris.", usage=Usage(321, 4, cached_tokens=256))]
    purse = RecordingPurse()
    async with metered(real(provider), purse) as paying:
        assert await answer(paying) == "Paris."
    assert purse.only() == (Used(321, 256, 4), False)
    assert purse.asked[0][0].provider == provider.site_url.removeprefix("http://")


@pytest.mark.parametrize(
    ("fault", "used"),
    [
        pytest.param(Refusal.wrong_key(), Used(), id="wrong key"),
        pytest.param(Refusal.rate_limited(), Used(), id="429"),
        pytest.param(Refusal.server_error(), Used(), id="500"),
        pytest.param(BreakOff(), Used(), id="broken off"),
        pytest.param(Hang(), Used(READ), id="no answer"),
    ],
)
async def test_over_the_real_plugin_a_failure_costs_what_it_may_have_cost(
    provider: ScriptedProvider, fault: Any, used: Used
) -> None:
    """The plugin's errors are told apart."""
    provider.script.llm = lambda _: Answer(fault=fault)
    purse = RecordingPurse()
    async with metered(real(provider), purse) as paying:
        with pytest.raises(APIError):
            await answer(paying, ONCE)
    assert purse.only() == (used, True)
    assert len(provider.asked("llm")) == 1


async def test_over_the_real_plugin_nobody_at_the_address_costs_nothing() -> None:
    """Connection refused, by the system."""
    purse = RecordingPurse()
    inner = openai_llm(LlmSettings(base_url="http://127.0.0.1:9/v1", model=MODEL), None)
    async with metered(inner, purse) as paying:
        with pytest.raises(APIConnectionError):
            await answer(paying, TWICE)
    assert [one.used for one in purse.settled] == [Used(), Used()]


Wrap = Callable[[llm.LLM[str]], llm.LLM[str]]


def bare(model: llm.LLM[str]) -> llm.LLM[str]:
    return model


def paid(model: llm.LLM[str]) -> llm.LLM[str]:
    return metered(model, RecordingPurse())


async def asked_in_a_session(
    model: llm.LLM[str], heard: list[LLMMetrics], errors: list[ErrorEvent], turns: int = 1
) -> AgentSession[None]:
    """As in a call: the session listens to its model."""
    voice: AgentSession[None] = AgentSession(
        llm=model,
        vad=None,
        turn_handling={"turn_detection": None},
        conn_options=SessionConnectOptions(llm_conn_options=TWICE),
    )
    model.on("metrics_collected", heard.append)
    voice.on("error", errors.append)
    await voice.start(Agent(instructions="You are June."))
    for _ in range(turns):
        result: RunResult[None] = voice.run(user_input="What is the capital of France?")
        with suppress(APIError):
            await asyncio.wait_for(result, 10)
    await voice.aclose()
    return voice


@pytest.mark.parametrize("wrap", [bare, paid])
async def test_a_session_sees_the_same_usage_with_it_and_without(
    provider: ScriptedProvider, wrap: Wrap
) -> None:
    """Counted once; how long it took is measured as well."""
    provider.script.llm = [
        Answer("Paris.", usage=Usage(321, 4), first_token_seconds=0.1),
        Answer(fault=Refusal.server_error()),
        Answer("Paris!", usage=Usage(400, 4), first_token_seconds=0.1),
    ]
    heard: list[LLMMetrics] = []
    errors: list[ErrorEvent] = []
    async with real(provider) as plugin:
        voice = await asked_in_a_session(wrap(plugin), heard, errors, turns=2)
    (used,) = voice.usage.model_usage
    assert used.model_dump(exclude_defaults=True) == {
        "provider": provider.site_url.removeprefix("http://"),
        "model": MODEL,
        "input_tokens": 721,
        "output_tokens": 8,
    }
    assert [(one.label, one.cancelled, one.total_tokens) for one in heard] == [
        (plugin.label, False, 325),
        (plugin.label, False, 404),
    ]
    assert all(0.1 <= one.ttft < 5 for one in heard)
    assert [(one.error.type, one.error.recoverable) for one in errors] == [("llm_error", True)]


@pytest.mark.parametrize("wrap", [bare, paid])
async def test_a_session_sees_the_same_errors_with_it_and_without(
    provider: ScriptedProvider, wrap: Wrap
) -> None:
    """Each attempt's once: the last is not recoverable."""
    provider.script.llm = lambda _: Answer(fault=Refusal.server_error())
    heard: list[LLMMetrics] = []
    errors: list[ErrorEvent] = []
    async with real(provider) as plugin:
        await asked_in_a_session(wrap(plugin), heard, errors)
    assert [(one.error.label, one.error.recoverable) for one in errors] == [
        (plugin.label, True),
        (plugin.label, False),
    ]
    assert {type(one.error.error) for one in errors} == {APIStatusError}
    assert len(provider.asked("llm")) == 2
    assert heard == []
