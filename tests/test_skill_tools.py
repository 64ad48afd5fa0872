"""Which tool was used for which message."""

import json

import pytest
from livekit.agents import llm
from test_floor import Counting

from agent.skill_tools import uses_for
from agent.tools import begin_arguments

ASKED = llm.ChatMessage(role="user", content=["Set a timer."])
ANSWER = llm.ChatMessage(role="assistant", content=["It is set."])
AGAIN = llm.ChatMessage(role="user", content=["What time is it?"])


def use(call_id: str) -> llm.FunctionCall:
    return llm.FunctionCall(call_id=call_id, name="tool", arguments="{}")


def end(call_id: str) -> llm.FunctionCallOutput:
    return llm.FunctionCallOutput(call_id=call_id, name="tool", output="done", is_error=False)


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([AGAIN], []),
        ([ASKED, use("1"), end("1"), ANSWER, AGAIN], []),
        ([AGAIN, use("1"), end("1")], ["1"]),
        ([AGAIN, use("1"), end("1"), use("2"), end("2")], ["2", "1"]),
        ([AGAIN, use("1"), use("2"), end("2"), end("1")], ["2", "1"]),
        pytest.param([ASKED, use("1"), AGAIN, end("1")], [], id="one that ended too late"),
        pytest.param([AGAIN, use("1")], [], id="one that has not ended"),
    ],
)
def test_a_use_belongs_to_the_message_before_it(
    items: list[llm.ChatItem], found: list[str]
) -> None:
    """Even if it ends after the next one."""
    assert uses_for(llm.ChatContext(items), AGAIN) == found


@pytest.mark.parametrize("given", [{"start": 5}, {"start": "5"}, {}])
def test_a_mode_is_begun_with_what_a_phrase_or_a_model_gives(given: dict[str, object]) -> None:
    """A phrase knows the type of its slot, a model gives texts."""
    arguments = begin_arguments(Counting()).model_validate(json.loads(json.dumps(given)))
    assert arguments.model_dump(exclude_none=True) == given
