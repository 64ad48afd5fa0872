"""Skills in a whole call, typed: by phrase and by a model, and whatever their code does."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from livekit.agents import ConversationItemAddedEvent, llm
from speech_fakes import ScriptedSpeech
from structlog.testing import capture_logs
from test_hosted_call import KEY, Typed, Words

from agent.config import load
from agent.console.here import Ends, call_here
from agent.lines import ENGLISH
from bench.provider import Answer, Script, ScriptedProvider, ToolUse
from skills.mockingbird import lines

SHOP = '''
"""A shop by voice, and everything that can go wrong in one."""
import asyncio, threading, time
from typing import Annotated
from pydantic import BaseModel, Field
from skills import ByModel, Mode, Ports, Say, SkillError, Step, ability

sold = []
stuck = threading.Event()

@ability(phrases=["buy {count} {what}"])
async def buy(ports: Ports, what: str, count: Annotated[int, Field(ge=1, le=9)]) -> str:
    """Buy something."""
    await ports.say("One moment.")
    sure = await ports.ask(f"Are you sure that you want {count}?")
    if "color" in sure:
        color = await ports.ask("Which color?")
        what = f"{color.strip('.')} {what}"
    sold.append((count, what))
    await ports.memory.put("last", what)
    return f"You bought {count} {what}."

@ability(phrases=["sell it"])
async def sell(ports: Ports) -> str:
    """Sell it."""
    raise SkillError("Nobody wants it.")

@ability(phrases=["break it"])
async def break_it() -> str:
    """Break it."""
    raise ZeroDivisionError("secret words of a caller")

@ability(phrases=["talk for ever"])
async def talk() -> str:
    """Talk."""
    return "So many words. " * 2_000

@ability(phrases=["block"])
async def block() -> str:
    """Block."""
    stuck.wait(30)
    return "never"

@ability
async def price(what: str) -> str:
    """Say what something costs."""
    return f"A {what} costs 5."

@ability(phrases=["hush"])
async def hush() -> str:
    """Say nothing."""
    return ""

class Asked(BaseModel):
    words: list[str] = []

class Haggling(Mode[Asked]):
    name = "haggling"
    description = "Haggles about the price."
    triggers = ("let us haggle [about {what}]",)
    confirmation = "Do you really want to haggle?"
    state = Asked
    def begin(self, heard):
        return Step(Asked(), Say(f"What do you offer for {heard.slots.get('what', 'it')}?"))
    def step(self, state, heard):
        if heard.text == "fail":
            raise ValueError(heard.text)
        after = Asked(words=[*state.words, heard.text])
        if heard.has_model:
            return Step(after, ByModel("Say a price."))
        return Step(after, Say(f"{len(after.words)} offers are not enough."))
    def instructions(self, state):
        return "You are a merchant."
'''

Ring = Callable[..., AbstractAsyncContextManager[Typed]]


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(ScriptedSpeech(), Script(models=("gpt-6-luna",)), KEY) as serving:
        yield serving


@pytest.fixture
def ring(provider: ScriptedProvider, tmp_path: Path) -> Ring:
    """Begins a call with the shop's skill; `model` says whether with a model."""
    folder = tmp_path / "skills"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)

    @asynccontextmanager
    async def ringing(*, model: bool = False, **environ: str) -> AsyncIterator[Typed]:
        given = {
            "JUNE_DATA__DIR": str(tmp_path),
            "JUNE_SKILLS__PATH": str(folder),
            **({"JUNE_LLM__BASE_URL": provider.base_url} if model else {}),
            "JUNE_LLM__KEY_VARIABLE": "PROVIDER_KEY",
            "PROVIDER_KEY": KEY,
        }
        words = Words()
        async with call_here(load(environ={**given, **environ}), Ends(words=words)) as here:
            greeting = await here.begin()
            if greeting is not None:
                await greeting.wait_for_playout()
            yield Typed(here, words)

    return ringing


async def test_an_ability_asks_until_it_knows_enough(ring: Ring) -> None:
    """It says something meanwhile; each answer is a turn of its own."""
    async with ring() as caller:
        assert await caller.says("Buy two chairs.") == ("One moment. Are you sure that you want 2?")
        assert await caller.says("Yes, but in another color.") == "Which color?"
        assert await caller.says("Dark red.") == "You bought 2 Dark red chairs."
        assert await caller.says("Who are you?") != ""


async def test_a_question_can_be_left_unanswered(ring: Ring) -> None:
    """An exit takes back what was asked for."""
    async with ring() as caller:
        await caller.says("Buy two chairs.")
        assert await caller.says("Never mind.") == ENGLISH.skill_canceled
        assert "June" in await caller.says("Who are you?")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("sell it", "Nobody wants it."),
        ("break it", ENGLISH.skill_failed),
        ("buy 99 chairs", ENGLISH.skill_failed),
        ("What can you do?", "I can tell the time, set timers,"),
    ],
)
async def test_what_a_skill_does_wrong_is_one_sentence(ring: Ring, said: str, answer: str) -> None:
    """The log names the file and never the words."""
    with capture_logs() as logs:
        async with ring() as caller:
            assert (await caller.says(said)).startswith(answer)
            assert "June" in await caller.says("Who are you?")
    failed = [entry for entry in logs if entry["event"] == "skill.failed"]
    assert len(failed) == (said == "break it")
    assert all("shop.py" in entry["file"] for entry in failed)
    assert "secret words" not in str(logs)


async def test_a_skill_that_talks_for_ever_is_cut(ring: Ring) -> None:
    """At the end of a sentence."""
    async with ring() as caller:
        said = await caller.says("talk for ever")
        assert 1_000 < len(said) < 2_100


async def test_a_skill_that_blocks_costs_one_turn(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not run again; the others are."""
    monkeypatch.setattr("skills.runner.Runner.use.__defaults__", (0.2,))
    async with ring() as caller:
        assert await caller.says("block") == ENGLISH.skill_failed
        assert await caller.says("block") == ENGLISH.skill_failed
        assert re.match(r"It's \d", await caller.says("What time is it?"))


async def test_a_mode_by_phrase_with_its_confirmation(ring: Ring) -> None:
    """Asked, begun, stepped, left; and one that fails is over."""
    async with ring() as caller:
        assert await caller.says("Let's haggle about the lamp") == "Do you really want to haggle?"
        assert await caller.says("Hm?") == ENGLISH.skill_unclear
        assert await caller.says("Go ahead.") == "What do you offer for the lamp?"
        assert await caller.says("five") == "1 offers are not enough."
        assert re.match(r"It's \d", await caller.says("What time is it?"))
        assert await caller.says("six") == "2 offers are not enough."
        assert await caller.says("That's enough, thanks.") == ENGLISH.skill_left
        await caller.says("Let's haggle")
        await caller.says("yes")
        assert await caller.says("fail") == ENGLISH.skill_failed
        assert await caller.says("six") != "2 offers are not enough."


async def test_a_model_uses_the_same_abilities(ring: Ring, provider: ScriptedProvider) -> None:
    """It reads what they return, also what they refuse; a question is June's."""
    async with ring(model=True) as caller:
        provider.script.llm = [
            Answer(tools=[ToolUse("sell", "{}")]),
            Answer("I am sorry, nobody wants it."),
            Answer(tools=[ToolUse("buy", '{"count": 99, "what": "chairs"}')]),
            Answer("At most nine."),
            Answer(tools=[ToolUse("break_it", "{}")]),
            Answer("That went wrong."),
            Answer(tools=[ToolUse("price", '{"what": "chair"}')]),
            Answer("Five, they say."),
            Answer(tools=[ToolUse("buy", '{"count": 2, "what": "chairs"}')]),
        ]
        assert await caller.says("Could somebody take it?") == "I am sorry, nobody wants it."
        assert await caller.says("I'd like many chairs.") == "At most nine."
        assert await caller.says("Drop the vase.") == "That went wrong."
        assert await caller.says("How much is one?") == "Five, they say."
        assert "Are you sure that you want 2?" in await caller.says("Then two.")
        assert await caller.says("Yes.") == "You bought 2 chairs."
    told = [str(asked.body["messages"]) for asked in provider.asked("llm")]
    assert "Nobody wants it." in told[1]
    assert "less than or equal to 9" in told[3]
    assert "break_it did not work" in told[5]
    assert "secret words" not in " ".join(told)


async def test_a_question_beside_another_tool_is_asked(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """And nothing but its answer is taken for one."""
    async with ring(model=True) as caller:
        provider.script.llm = [
            Answer(
                tools=[
                    ToolUse("buy", '{"count": 2, "what": "chairs"}'),
                    ToolUse("price", '{"what": "chair"}'),
                ]
            ),
        ]
        assert "Are you sure that you want 2?" in await caller.says("Two chairs, how much?")
        assert await caller.says("Yes.") == "You bought 2 chairs."


async def test_a_model_uses_only_what_it_is_shown(ring: Ring, provider: ScriptedProvider) -> None:
    """Least of all may it answer June's question for the caller."""
    async with ring(model=True) as caller:
        provider.script.llm = [
            Answer(
                tools=[
                    ToolUse("buy", '{"count": 2, "what": "chairs"}'),
                    ToolUse("answer_question", '{"answer": "yes"}'),
                ]
            ),
            Answer(tools=[ToolUse("leave_skill", "{}")]),
            Answer("There is nothing to leave."),
        ]
        assert "Are you sure that you want 2?" in await caller.says("I need some chairs.")
        assert await caller.says("Never mind.") == ENGLISH.skill_canceled
        assert await caller.says("Leave it all.") == "There is nothing to leave."
    told = str(provider.asked("llm")[-1].body["messages"])
    assert "answer_question is not available now" in told
    assert "leave_skill is not available now" in told


async def test_a_model_begins_and_leaves_a_mode(ring: Ring, provider: ScriptedProvider) -> None:
    """Inside it has the mode's instructions and one tool more, and outside neither."""
    async with ring(model=True) as caller:
        provider.script.llm = [
            Answer(tools=[ToolUse("begin_haggling", '{"what": "the lamp"}')]),
            Answer("Seven."),
            Answer(tools=[ToolUse("leave_skill", "{}")]),
            Answer("Outside."),
        ]
        assert await caller.says("Shall we bargain?") == "Do you really want to haggle?"
        assert await caller.says("Yes.") == "What do you offer for the lamp?"
        assert await caller.says("Three.") == "Seven."
        assert await caller.says("I would rather talk of the weather.") == ENGLISH.skill_left
        assert await caller.says("So?") == "Outside."
    bodies = [asked.body for asked in provider.asked("llm")]
    system = [body["messages"][0]["content"] for body in bodies]
    tools = [{tool["function"]["name"] for tool in body["tools"]} for body in bodies]
    assert ["You are a merchant.\n\nSay a price." in one for one in system] == [
        *(False, True, True, False)
    ]
    assert ["leave_skill" in names for names in tools] == [False, True, True, False]
    # By text nobody's voice is copied.
    assert not any("begin_mockingbird" in names for names in tools)


async def test_in_another_language_a_model_says_what_a_skill_says(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Phrases are English, and so are the sentences of skills."""
    async with ring(model=True, JUNE_AGENT__LANGUAGE="de") as caller:
        provider.script.llm = [
            Answer(tools=[ToolUse("begin_haggling", '{"what": "die Lampe"}')]),
            Answer("Wollen Sie wirklich handeln?"),
        ]
        assert await caller.says("Wollen wir handeln?") == "Wollen Sie wirklich handeln?"
    told = provider.asked("llm")[-1].body["messages"]
    assert "Do you really want to haggle?" in told[0]["content"]


async def test_a_mode_is_told_what_was_not_heard(
    ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiveKit says of a reply how far the caller heard it."""
    async with ring() as caller:
        with monkeypatch.context() as patch:
            # Without sound nothing is ever cut off: the end of this reply is kept from the floor.
            patch.setattr("session.floor.Floor.said", lambda *_, **__: None)
            said = await caller.says("tell me a story")
        part = said.split(". ")[0]
        item = llm.ChatMessage(role="assistant", content=[part], interrupted=True)
        caller.here.call.voice.emit(
            "conversation_item_added", ConversationItemAddedEvent(item=item)
        )
        after = await caller.says("go on")
        assert after.split(". ")[0].strip(".") in said, "it goes on where the caller was cut off"


async def test_in_another_language_the_model_asks_for_a_skill(
    ring: Ring, provider: ScriptedProvider
) -> None:
    """Nothing English is said; the answer comes with the tool's next use. An alarm has its name."""
    async with ring(model=True, JUNE_AGENT__LANGUAGE="de") as caller:
        provider.script.llm = [
            Answer(tools=[ToolUse("buy", '{"count": 2, "what": "Stühle"}')]),
            Answer("Wirklich zwei?"),
            Answer(tools=[ToolUse("set_timer", '{"seconds": 1, "name": "Tee"}')]),
            Answer("Der Wecker läuft."),
        ]
        assert await caller.says("Zwei Stühle, bitte.") == "Wirklich zwei?"
        assert await caller.says("Eine Sekunde Tee.") == "Der Wecker läuft."
        async with asyncio.timeout(10):
            while caller.words.said[-1].casefold() != "es ist so weit: tee.":
                await asyncio.sleep(0.05)
    told = str(provider.asked("llm")[1].body["messages"])
    assert "Ask the caller this" in told


async def test_an_ability_may_say_nothing(ring: Ring) -> None:
    """Then June says a word herself: a caller who hears nothing believes she is gone."""
    async with ring() as caller:
        assert await caller.says("hush") == ENGLISH.skill_done
        assert "June" in await caller.says("Who are you?")


async def test_timers_and_notes_in_one_call(ring: Ring) -> None:
    """As in the README, with no key."""
    async with ring() as caller:
        assert "3 seconds" in await caller.says("Set a tea timer for three seconds.")
        assert "tea" in await caller.says("What timers are running?")
        assert "buy Milk" in await caller.says("Take a note: buy Milk")
        assert "buy Milk" in await caller.says("Read my notes.")
        assert await caller.says("mimic my voice") == lines.NOT_HERE
        assert "language model" in await caller.says("translate to French")
        assert await caller.says("Tell me a story.") != ""
        assert await caller.says("Back to normal.") == ENGLISH.skill_left
