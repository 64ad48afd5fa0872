"""The offline brain as LiveKit's LLM, so that a call with no language model runs the same code."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from livekit.agents import APIConnectOptions, llm, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from agent.models.brain import Question, Said, answer, is_goodbye

HANG_UP = "end_call"
"""The tool of June's that ends a call."""

Now = Callable[[], datetime]


def local_time() -> datetime:
    return datetime.now().astimezone()


class OfflineLLM(llm.LLM[str]):
    """Answers what `brain.answer` can. Costs nothing; lives as long as one call."""

    def __init__(self, now: Now = local_time) -> None:
        super().__init__()
        self._now = now

    @property
    def model(self) -> str:
        return "offline-brain"

    @property
    def provider(self) -> str:
        return "local"

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> "OfflineReply":
        return OfflineReply(
            self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options, now=self._now
        )


class OfflineReply(llm.LLMStream):
    """One answer, given whole; to a goodbye it is the tool that hangs up, as a model uses it."""

    def __init__(self, owner: OfflineLLM, *, now: Now, **context: Any) -> None:
        super().__init__(owner, **context)
        self._now = now

    async def _run(self) -> None:
        question = question_in(self._chat_ctx, self._now())
        if is_goodbye(question.text) and self._can_hang_up():
            use = llm.FunctionToolCall(name=HANG_UP, arguments="{}", call_id=utils.shortuuid())
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[use])
        else:
            delta = llm.ChoiceDelta(role="assistant", content=answer(question))
        self._event_ch.send_nowait(llm.ChatChunk(id=utils.shortuuid(), delta=delta))

    def _can_hang_up(self) -> bool:
        return any(
            isinstance(tool, llm.FunctionTool) and tool.id == HANG_UP for tool in self._tools
        )


def question_in(context: llm.ChatContext, now: datetime) -> Question:
    """The newest user message as the question, and what was said before it."""
    said = [
        Said(by_user=message.role == "user", text=message.text_content or "")
        for message in context.messages()
        if message.role in ("user", "assistant")
    ]
    newest = max((index for index, one in enumerate(said) if one.by_user), default=None)
    if newest is None:
        return Question(text="", earlier=said, now=now)
    return Question(text=said[newest].text, earlier=said[:newest], now=now)
