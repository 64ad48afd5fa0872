"""Whatever a model does, the caller hears a sentence."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import APIConnectionError, APITimeoutError, llm

from agent.lines import ENGLISH
from agent.reply import LAST_SENTENCE_CHARACTERS, LONGEST_CHARACTERS, Chunk, made_sayable, text_of


class Written:
    """An answer that comes in these pieces, and may fail after them."""

    def __init__(self, *pieces: Chunk, fails: Exception | None = None) -> None:
        self.pieces = pieces
        self.fails = fails
        self.taken = 0
        self.closed = False

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        try:
            for piece in self.pieces:
                self.taken += 1
                yield piece
            if self.fails is not None:
                raise self.fails
        finally:
            self.closed = True


async def heard(answer: Written) -> str:
    return "".join([text_of(chunk) async for chunk in made_sayable(answer.chunks(), ENGLISH)])


def use_of(tool: str) -> llm.ChatChunk:
    call = llm.FunctionToolCall(name=tool, arguments="{}", call_id="1")
    return llm.ChatChunk(id="1", delta=llm.ChoiceDelta(tool_calls=[call]))


async def test_an_ordinary_answer_is_left_as_it_is() -> None:
    """Chunk by chunk."""
    assert await heard(Written("Hello, ", "Ann.")) == "Hello, Ann."


@pytest.mark.parametrize("pieces", [(), ("",), ("  \n",), ("**", "---", "```"), ("🎉", "👍 …")])
async def test_an_answer_that_cannot_be_said_becomes_a_sentence(pieces: tuple[str, ...]) -> None:
    """Empty, only markup, only emoji."""
    assert (await heard(Written(*pieces))).endswith(ENGLISH.not_understood)


async def test_a_tool_needs_no_words() -> None:
    """Its result is answered in the next step."""
    assert await heard(Written(use_of("end_call"))) == ""


async def test_a_tool_that_must_not_be_used_is_no_answer() -> None:
    """LiveKit asks for words after a few steps, and drops what is none."""
    answer = Written(use_of("end_call")).chunks()
    said = [text_of(one) async for one in made_sayable(answer, ENGLISH, may_use_tools=False)]
    assert "".join(said) == ENGLISH.not_understood


@pytest.mark.parametrize("fault", [APIConnectionError(), APITimeoutError()])
async def test_a_model_that_fails_is_apologised_for(fault: Exception) -> None:
    """The sentence is the reply, so that it is heard, shown and kept."""
    assert await heard(Written(fails=fault)) == ENGLISH.trouble


async def test_an_answer_that_breaks_off_ends_with_a_sentence() -> None:
    """The torso must not pass for the answer."""
    answer = Written("The capital of France ", fails=APIConnectionError())
    assert await heard(answer) == f"The capital of France  {ENGLISH.lost_words}"


async def test_an_endless_answer_ends_with_a_sentence() -> None:
    """And the model is not read any further."""
    answer = Written(*["Knights ride through the wood. "] * 5_000)
    said = await heard(answer)
    assert said.endswith(f"the wood.  {ENGLISH.more_to_say}")
    assert len(said) < LONGEST_CHARACTERS + 200
    assert answer.taken < 100
    assert answer.closed


async def test_an_answer_without_full_stops_ends_too() -> None:
    """Five thousand words and no sentence."""
    said = await heard(Written(*["and then "] * 5_000))
    assert len(said) < LONGEST_CHARACTERS + LAST_SENTENCE_CHARACTERS + 100
    assert said.endswith(ENGLISH.more_to_say)


@given(st.lists(st.text(max_size=50), max_size=20), st.booleans())
async def test_something_is_always_said(pieces: list[str], fails: bool) -> None:
    """With something to pronounce in it, and nothing of a short answer lost."""
    said = await heard(Written(*pieces, fails=APIConnectionError() if fails else None))
    assert any(letter.isalnum() for letter in said)
    assert said.startswith("".join(pieces))


async def test_a_tool_that_works_already_is_not_apologised_for() -> None:
    """The stream breaks off after it: what the tool did is told in the next step."""
    assert await heard(Written(use_of("end_call"), fails=APIConnectionError())) == ""
