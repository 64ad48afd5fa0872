"""June, as LiveKit's Agent: the gate that every turn passes, and what she says when it is shut."""

from collections.abc import AsyncIterable
from typing import Any, Protocol

from livekit.agents import Agent, FlushSentinel, ModelSettings, llm

from agent.lines import Lines
from session import Decision

INSTRUCTIONS = (
    "You are June, an AI assistant who answers calls. You are heard, not read: answer in one to "
    "three short sentences of plain spoken language, without lists, markup or emoji."
)


class Gate(Protocol):
    """Decides whether a turn may be answered. Reserves; what costs something waits for commit."""

    async def reserve(self, message: llm.ChatMessage) -> Decision: ...


class June(Agent):
    """Lives as long as one call."""

    def __init__(self, gate: Gate, lines: Lines, chat_ctx: llm.ChatContext) -> None:
        super().__init__(instructions=INSTRUCTIONS, chat_ctx=chat_ctx)
        self._gate = gate
        self._lines = lines

    async def llm_node(
        self,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool],
        model_settings: ModelSettings,
    ) -> AsyncIterable[llm.ChatChunk | str | FlushSentinel]:
        """Every reply passes here: spoken, typed, and attempts that nobody will ever hear."""
        message = newest_user_message(chat_ctx)
        if message is not None:
            decision = await self._gate.reserve(message)
            if not decision.allowed:
                yield refusal(decision, self._lines)
                return
        reply: Any = Agent.default.llm_node(self, chat_ctx, tools, model_settings)
        async for chunk in reply:
            yield chunk


def newest_user_message(chat_ctx: llm.ChatContext) -> llm.ChatMessage | None:
    """The turn's question. A system message may stand behind it, so it need not be the last."""
    asked = (message for message in reversed(chat_ctx.messages()) if message.role == "user")
    return next(asked, None)


def refusal(decision: Decision, lines: Lines) -> str:
    """The refusal in the caller's words: one sentence, and what to do next."""
    return {"too_long": lines.input_too_long}[decision.reason or ""]
