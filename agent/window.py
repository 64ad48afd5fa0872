"""The context window of a call: what the model is given of it, request by request."""

from livekit.agents import llm

from agent.context import fitted, tokens_in
from agent.reply import Chunk
from agent.summary import Summary
from session.tokens import TokenCount, estimate_tokens


class Window:
    """Lives as long as one call. It learns from the model's answers how the model counts."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._tokens = TokenCount()

    def of(self, chat_ctx: llm.ChatContext) -> llm.ChatContext:
        """What to ask the model with; `chat_ctx` is left as it is."""
        # Fitted twice: what does not fit the first time is in the summary the second time.
        self._summary.given(self._fitted(chat_ctx))
        return self._fitted(chat_ctx)

    def _fitted(self, chat_ctx: llm.ChatContext) -> llm.ChatContext:
        return fitted(chat_ctx, count=self._tokens.of, summary=self._summary.text)

    def learn(self, given: llm.ChatContext, chunk: Chunk) -> None:
        """Of the answer to what was given; some piece of it may say what the provider counted."""
        if isinstance(chunk, llm.ChatChunk) and chunk.usage is not None:
            self._tokens.learn(
                estimated=tokens_in(given, estimate_tokens), counted=chunk.usage.prompt_tokens
            )
