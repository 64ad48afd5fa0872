"""The offline brain as LiveKit's LLM, so that a call with no language model runs the same code."""

from typing import Any

from livekit.agents import APIConnectOptions, llm, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

from agent.models.brain import Question, Said, answer


class OfflineLLM(llm.LLM[str]):
    """Answers what `brain.answer` can. Costs nothing; lives as long as one call."""

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
        return OfflineReply(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class OfflineReply(llm.LLMStream):
    """One answer, given whole."""

    async def _run(self) -> None:
        said = answer(question_in(self._chat_ctx))
        delta = llm.ChoiceDelta(role="assistant", content=said)
        self._event_ch.send_nowait(llm.ChatChunk(id=utils.shortuuid(), delta=delta))


def question_in(context: llm.ChatContext) -> Question:
    """The newest user message as the question, and what was said before it."""
    said = [
        Said(by_user=message.role == "user", text=message.text_content or "")
        for message in context.messages()
        if message.role in ("user", "assistant")
    ]
    newest = max((index for index, one in enumerate(said) if one.by_user), default=None)
    if newest is None:
        return Question(text="", earlier=said)
    return Question(text=said[newest].text, earlier=said[:newest])
