"""Minds, of which the next one is asked where one fails; none is waited for longer than a turn."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, ClassVar

from livekit.agents import APIConnectOptions, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from agent.models.guard import Guard, Provider, Request, TooSlow, Useless
from agent.models.metered_llm import text_in
from agent.models.turn_clock import VOICE_SECONDS, TurnClock

FIRST_TOKEN_SECONDS = 3.0
GAP_SECONDS = 3.0
"""Between two chunks."""

STEP_SECONDS = 0.8
"""At least so long for one step, such as the one after a tool: an answer that is a little late is
better than an apology for it."""

FAIR_SHARE = 0.9
"""Of the time that a mind may need. One that had less is not to blame for what it lacked."""

ASIDE_SECONDS = 15.0
"""To the first token of what no caller waits for."""


class GuardedLLM(llm.LLM[str]):
    """To LiveKit it looks as the one that answered last. Lives as long as one call; closes all."""

    def __init__(
        self,
        providers: Sequence[Provider[llm.LLM[str]]],
        guard: Guard,
        clock: TurnClock,
        *,
        first_token_seconds: float = FIRST_TOKEN_SECONDS,
    ) -> None:
        super().__init__()
        self.first_token_seconds = first_token_seconds
        self.providers = providers
        self.guard = guard
        self.clock = clock
        self.serving = providers[0].model
        self._label = self.serving.label

    @property
    def model(self) -> str:
        return self.serving.model

    @property
    def provider(self) -> str:
        return self.serving.provider

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.providers[0].model.prewarm(loop=loop)

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> "GuardedReply":
        return GuardedReply(
            self,
            chat_ctx=chat_ctx,
            tools=tools or [],
            conn_options=replace(conn_options, max_retry=0),
            options={
                "parallel_tool_calls": parallel_tool_calls,
                "tool_choice": tool_choice,
                "extra_kwargs": extra_kwargs,
            },
        )

    async def aclose(self) -> None:
        async with AsyncExitStack() as closing:
            for provider in self.providers:
                closing.push_async_callback(provider.model.aclose)


class GuardedReply(llm.LLMStream):
    """One answer. Its error may be `Refused`, `Unanswered` or `BrokenOff`."""

    # The inner stream's spans are those of the request; this one only stands around them.
    _llm_request_span_name: ClassVar[str] = "llm_guarded"
    _llm_attempt_span_name: ClassVar[str | None] = None
    _genai_operation_name: ClassVar[str | None] = None

    def __init__(self, owner: GuardedLLM, *, options: dict[str, Any], **context: Any) -> None:
        super().__init__(owner, **context)
        self._owner = owner
        self._options = options
        self._has_begun = False

    async def _run(self) -> None:
        owner = self._owner
        await owner.guard.answer(owner.providers, self._ask, has_begun=lambda: self._has_begun)

    async def _ask(self, model: llm.LLM[str], request: Request, /, *, has_other: bool) -> None:
        self._owner.serving = model
        reply = model.chat(
            chat_ctx=self._chat_ctx,
            tools=self._tools,
            conn_options=self._conn_options,
            **self._options,
        )
        async with self._owner.guard.closing(reply):
            chunks = aiter(reply)
            for chunk in await self._opening(chunks, has_other=has_other):
                self._event_ch.send_nowait(chunk)
            self._has_begun = True
            request.brings()
            while (later := await _next(chunks, GAP_SECONDS)) is not None:
                self._event_ch.send_nowait(later)

    async def _opening(
        self, chunks: AsyncIterator[llm.ChatChunk], *, has_other: bool
    ) -> list[llm.ChatChunk]:
        """Up to the first that says or does something. Until then somebody else may answer."""
        left = max(0.0, self._owner.clock.left_seconds - VOICE_SECONDS)
        # Where somebody waits, whoever is asked next needs as long.
        shares = 2 if has_other and left < math.inf else 1
        may_need = self._owner.first_token_seconds / shares
        seconds = min(may_need, left / 2 if has_other else max(left, STEP_SECONDS))
        is_fair = seconds >= may_need * FAIR_SHARE
        opening: list[llm.ChatChunk] = []
        end = asyncio.get_running_loop().time() + seconds
        while not opening or not text_in(opening[-1]).strip():
            left = end - asyncio.get_running_loop().time()
            chunk = await _next(chunks, left, is_fair=is_fair)
            if chunk is None:
                raise Useless("an answer without a word")
            opening.append(chunk)
        return opening


async def _next(
    chunks: AsyncIterator[llm.ChatChunk], seconds: float, *, is_fair: bool = True
) -> llm.ChatChunk | None:
    """None at the end. Raises `TooSlow` after so long."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            return await anext(chunks, None)
    except TimeoutError:
        raise TooSlow(is_its_fault=is_fair) from None
