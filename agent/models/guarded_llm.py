"""Minds, of which the next one is asked where one fails; none is waited for longer than a turn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
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
        for provider in self.providers:
            await provider.model.aclose()


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
        async with reply:
            chunks = aiter(reply)
            for chunk in await self._opening(chunks, self._first_token_seconds(has_other)):
                self._event_ch.send_nowait(chunk)
            self._has_begun = True
            request.brings()
            while (later := await _next(chunks, GAP_SECONDS)) is not None:
                self._event_ch.send_nowait(later)

    def _first_token_seconds(self, has_other: bool) -> float:  # noqa: FBT001 (by its name)
        left = max(0.0, self._owner.clock.left_seconds - VOICE_SECONDS)
        # Whoever is asked next needs as long.
        return min(left, self._owner.first_token_seconds) / (2 if has_other else 1)

    async def _opening(
        self, chunks: AsyncIterator[llm.ChatChunk], seconds: float
    ) -> list[llm.ChatChunk]:
        """Up to the first that says or does something. Until then somebody else may answer."""
        opening: list[llm.ChatChunk] = []
        end = asyncio.get_running_loop().time() + seconds
        while not opening or not text_in(opening[-1]).strip():
            left = end - asyncio.get_running_loop().time()
            chunk = await _next(chunks, left)
            if chunk is None:
                raise Useless("an answer without a word")
            opening.append(chunk)
        return opening


async def _next(chunks: AsyncIterator[llm.ChatChunk], seconds: float) -> llm.ChatChunk | None:
    """None at the end. Raises `TooSlow` after so long."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            return await anext(chunks, None)
    except TimeoutError:
        raise TooSlow from None
