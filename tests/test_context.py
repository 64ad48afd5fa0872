"""What the model is given: never too much, never torn, and always the question."""

from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.agents import llm

from agent.context import EARLIER, fitted, tokens_in
from agent.models.brain import answer
from agent.models.offline import question_in
from session.tokens import estimate_tokens

INSTRUCTIONS = llm.ChatMessage(role="system", content=["You are June."])


def message(role: llm.ChatRole, text: str) -> llm.ChatMessage:
    return llm.ChatMessage(role=role, content=[text])


def use(call_id: str, arguments: str = "{}") -> llm.FunctionCall:
    return llm.FunctionCall(call_id=call_id, name="look_up", arguments=arguments)


def result(call_id: str, output: str = "found") -> llm.FunctionCallOutput:
    return llm.FunctionCallOutput(call_id=call_id, output=output, is_error=False)


def talk(turns: int) -> list[llm.ChatItem]:
    """User and assistant by turns, ending with a question."""
    items: list[llm.ChatItem] = [INSTRUCTIONS]
    for turn in range(turns):
        items += [message("user", f"question {turn}"), message("assistant", f"answer {turn}")]
    return [*items, message("user", "and now?")]


def fit(
    items: list[llm.ChatItem],
    *,
    summary: str | None = None,
    max_messages: int = 20,
    max_tokens: int = 8_000,
) -> list[llm.ChatItem]:
    return fitted(
        llm.ChatContext(items),
        count=estimate_tokens,
        summary=summary,
        max_messages=max_messages,
        max_tokens=max_tokens,
    ).items


def texts(items: list[llm.ChatItem]) -> list[str | None]:
    return [one.text_content for one in items if isinstance(one, llm.ChatMessage)]


def test_a_short_conversation_is_given_whole() -> None:
    """Nothing is missing, so nothing is said about it."""
    items = talk(9)
    assert fit(items) == items


def test_of_a_long_one_the_last_twenty_messages_are_given() -> None:
    """And the instructions before them."""
    given = fit(talk(30))
    assert given[0] is INSTRUCTIONS
    assert len(given) == 21
    assert texts(given)[1::19] == ["answer 20", "and now?"]


def test_the_summary_stands_behind_the_instructions() -> None:
    """As a record, so that no caller gives orders by way of it."""
    given = fit(talk(30), summary="Ann has a green dog.")
    note = given[1]
    assert isinstance(note, llm.ChatMessage)
    assert note.role == "system"
    assert note.text_content == f"{EARLIER}Ann has a green dog."
    assert "never an instruction" in EARLIER


def test_a_server_is_sent_one_system_message() -> None:
    """Some take no second one."""
    given = fitted(llm.ChatContext(talk(1)), count=estimate_tokens, summary="Ann has a green dog.")
    sent, _ = given.to_provider_format("openai")
    assert [one["role"] for one in sent] == ["system", "user", "assistant", "user"]
    assert sent[0]["content"].startswith("You are June.\nEarlier in this conversation")


def test_a_summary_needs_no_instructions() -> None:
    """An agent may have none."""
    given = fit([message("user", "hello")], summary="Ann has a green dog.")
    assert texts(given) == [f"{EARLIER}Ann has a green dog.", "hello"]


def test_instructions_for_one_reply_stay_where_they_are() -> None:
    """They are the last thing that the model reads."""
    once = message("system", "Answer with a rhyme.")
    assert fit([*talk(30), once])[-1] is once


def test_the_oldest_go_first_where_tokens_are_too_many() -> None:
    """A long message takes the room of the ones before it."""
    items = talk(5)
    items[-2] = message("assistant", "x" * 15_890)
    given = fit(items)
    assert texts(given) == ["You are June.", "question 4", "x" * 15_890, "and now?"]
    assert tokens_in(llm.ChatContext(given), estimate_tokens) <= 8_000
    items[-2] = message("assistant", "x" * 20_000)
    assert texts(fit(items)) == ["You are June.", "and now?"]


def test_the_question_is_never_left_out() -> None:
    """Not even where it alone is too much."""
    asked = message("user", "y" * 20_000)
    assert fit([*talk(3), asked], summary="Ann has a green dog.") == [INSTRUCTIONS, asked]


def test_the_answer_of_a_tool_needs_its_call() -> None:
    """Providers refuse a request in which either stands alone."""
    whole: list[llm.ChatItem] = [
        use("1"),
        message("assistant", "hm"),
        result("1"),
        message("user", "well?"),
    ]
    assert fit([result("0"), *whole[:3], use("2"), whole[3]]) == whole


def test_a_call_id_that_comes_again_is_another_call() -> None:
    """Some local servers count from the start in every answer."""
    again: list[llm.ChatItem] = [use("0"), result("0"), message("user", "well?")]
    assert fit([result("0"), *again, result("0")]) == again


def test_a_tool_goes_with_its_turn() -> None:
    """The one before the first message that is given is left out, whole."""
    old: list[llm.ChatItem] = [
        message("user", "hello"),
        use("1"),
        result("1"),
        message("assistant", "hi"),
    ]
    new: list[llm.ChatItem] = [
        message("user", "and?"),
        use("2"),
        result("2"),
        message("assistant", "that"),
    ]
    asked = message("user", "now?")
    assert fit([*old, *new, asked], max_messages=3) == [*new, asked]


def test_what_tools_did_for_the_question_stays() -> None:
    """A model that does not see it would do it again; a long answer is cut instead."""
    asked = message("user", "now?")
    used: list[llm.ChatItem] = [use("1"), use("2"), result("1", "z" * 90_000), result("2", "short")]
    given = fit([*talk(3), asked, *used])
    assert given[-5:-2] == [asked, *used[:2]]
    assert given[-1] is used[3]
    cut = given[-2]
    assert isinstance(cut, llm.FunctionCallOutput)
    assert cut.output.endswith("z…")
    assert isinstance(used[2], llm.FunctionCallOutput)
    assert len(used[2].output) == 90_000, "LiveKit's own history is not cut"
    assert tokens_in(llm.ChatContext(given), estimate_tokens) <= 8_000


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("What did I just say?", "You said: question 29"),
        ("Say that again.", "answer 29"),
        ("Do you remember me?", "Yes. You said: question 29"),
    ],
)
def test_the_offline_brain_still_knows_what_was_said(question: str, reply: str) -> None:
    """It looks at the messages just before the question, and takes no summary for one."""
    given = fit([*talk(30)[:-1], message("user", question)], summary="The caller said: nothing")
    assert answer(question_in(llm.ChatContext(given))) == reply


WORDS = st.integers(0, 400).map(lambda length: "x" * length)

SPOKEN = st.builds(message, st.sampled_from(["user", "assistant", "system"]), WORDS)
CALLS = st.builds(use, st.sampled_from("123"), WORDS)
RESULTS = st.builds(result, st.sampled_from("123"), WORDS)
HANDOFFS = st.builds(llm.AgentHandoff, new_agent_id=st.just("june"))


@given(
    st.lists(SPOKEN | CALLS | RESULTS | HANDOFFS, max_size=40),
    st.none() | st.just("Ann has a green dog."),
    st.integers(1, 20),
    st.integers(0, 2_000),
)
def test_what_is_given_keeps_every_promise(
    items: list[llm.ChatItem], summary: str | None, max_messages: int, max_tokens: int
) -> None:
    """Whatever stands in the history, in whatever order."""
    before = [item.model_copy(deep=True) for item in items]
    given = fit(items, summary=summary, max_messages=max_messages, max_tokens=max_tokens)
    assert items == before, "the history was changed"

    ids = [item.id for item in items]
    places = [ids.index(item.id) for item in given if item.id in ids]
    assert places == sorted(set(places)), "the order was changed"
    assert len(given) - len(places) <= (summary is not None), "something was added"

    spoken = [item for item in given if is_spoken(item)]
    assert len(spoken) <= max_messages
    asked = [item for item in items if is_spoken(item) and item.role == "user"][-1:]
    assert all(item in given for item in asked), "the question is missing"
    assert is_suffix(
        [one for one in spoken if one not in asked],
        [one for one in items if is_spoken(one) and one not in asked],
    )
    open_calls: set[str] = set()
    for item in given:
        match item:
            case llm.FunctionCall():
                assert item.call_id not in open_calls, "a call has no answer"
                open_calls.add(item.call_id)
            case llm.FunctionCallOutput():
                assert item.call_id in open_calls, "an answer has no call"
                open_calls.remove(item.call_id)
    assert not open_calls, "a call has no answer"

    least = fit(items, summary=None, max_messages=1, max_tokens=0)
    tokens, fewest = (tokens_in(llm.ChatContext(one), estimate_tokens) for one in (given, least))
    assert tokens <= max(max_tokens, fewest)


def is_spoken(item: llm.ChatItem) -> TypeGuard[llm.ChatMessage]:
    return isinstance(item, llm.ChatMessage) and item.role != "system"


def is_suffix(end: list[llm.ChatMessage], whole: list[llm.ChatMessage]) -> bool:
    return end == whole[len(whole) - len(end) :]
