"""Any LLM, each request of which is paid for."""

import asyncio
import json
from collections.abc import AsyncIterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from livekit.agents import APIConnectOptions, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from agent.models.metered import Meter, count_of, reserve, settling
from session.prices import LOCAL
from session.tokens import estimate_tokens
from session.usage import ModelUsed, Purse, Usage


class MeteredLLM(llm.LLM[str]):
    """To LiveKit it looks as `inner` does. Lives as long as that, and closes it."""

    def __init__(self, inner: llm.LLM[str], purse: Purse, *, max_output_tokens: int) -> None:
        super().__init__()
        self._label = inner.label
        self._inner = inner
        self._purse = purse
        self._max_output_tokens = max_output_tokens

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def provider(self) -> str:
        return self._inner.provider

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._inner.prewarm(loop=loop)

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> "MeteredReply":
        return MeteredReply(
            self,
            self._inner,
            self._purse,
            max_output_tokens=self._max_output_tokens,
            chat_ctx=chat_ctx,
            tools=tools or [],
            conn_options=conn_options,
            options={
                "parallel_tool_calls": parallel_tool_calls,
                "tool_choice": tool_choice,
                "extra_kwargs": extra_kwargs,
            },
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class MeteredReply(llm.LLMStream):
    """One answer. LiveKit runs `_run` for each attempt at it, which is one request.

    Its error may be `Refused`.
    """

    # The inner stream's spans are those of the request; this one only stands around them.
    _llm_request_span_name: ClassVar[str] = "llm_metered"
    _llm_attempt_span_name: ClassVar[str | None] = None
    _genai_operation_name: ClassVar[str | None] = None

    def __init__(
        self,
        owner: MeteredLLM,
        inner: llm.LLM[str],
        purse: Purse,
        *,
        max_output_tokens: int,
        options: dict[str, Any],
        **context: Any,
    ) -> None:
        super().__init__(owner, **context)
        self._inner = inner
        self._purse = purse
        self._max_output_tokens = max_output_tokens
        self._options = options

    async def _run(self) -> None:
        model = ModelUsed("llm", self._inner.provider, self._inner.model)
        # Nobody counts what is local, and the schemas of tools take a millisecond.
        is_counted = model.provider != LOCAL
        asked = Usage(request_tokens(self._chat_ctx, self._tools) if is_counted else 0)
        held = await reserve(
            self._purse, model, replace(asked, output_tokens=self._max_output_tokens)
        )
        meter = Meter(Usage())
        with settling(self._purse, held, meter):
            reply = self._inner.chat(
                chat_ctx=self._chat_ctx,
                tools=self._tools,
                conn_options=replace(self._conn_options, max_retry=0),
                **self._options,
            )
            meter.estimate = asked
            async with reply:
                await self._pass_on(reply, meter, asked)

    async def _pass_on(
        self, reply: AsyncIterable[llm.ChatChunk], meter: Meter, asked: Usage
    ) -> None:
        written = ""
        async for chunk in reply:
            meter.has_answer = True
            if text := text_in(chunk):
                written += text
                meter.estimate = replace(asked, output_tokens=estimate_tokens(written))
            # Some servers send a count that counts nothing.
            if chunk.usage is not None and (counted := usage_of(chunk.usage)).tokens:
                meter.counted = counted
            self._event_ch.send_nowait(chunk)


def request_tokens(chat_ctx: llm.ChatContext, tools: Sequence[llm.Tool]) -> int:
    """An estimate that errs high."""
    tokens = sum(estimate_tokens(text) for item in chat_ctx.items for text in _texts_of(item))
    if tools:
        schemas = llm.ToolContext(tools).parse_function_tools("openai")
        tokens += estimate_tokens(json.dumps(schemas, default=str))
    return tokens


def _texts_of(item: llm.ChatItem) -> Sequence[str]:
    match item:
        case llm.ChatMessage():
            return (item.raw_text_content or "",)
        case llm.FunctionCall():
            return (item.name + item.arguments,)
        case llm.FunctionCallOutput():
            return (item.output,)
        case _:
            return ()  # LiveKit's own notes, which are not sent


def text_in(chunk: llm.ChatChunk) -> str:
    """What a model wrote, also of tools."""
    if chunk.delta is None:
        return ""
    used = "".join(tool.name + tool.arguments for tool in chunk.delta.tool_calls)
    return (chunk.delta.content or "") + used


def usage_of(told: llm.CompletionUsage) -> Usage:
    return Usage(
        input_tokens=count_of(told.prompt_tokens),
        cached_input_tokens=count_of(told.prompt_cached_tokens),
        output_tokens=count_of(told.completion_tokens),
    )
