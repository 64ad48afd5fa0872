"""Mockingbird, turn by turn: each state by exit, barge-in, lost network, silence, hang, crash.

Fake ports; the agent's own are in `test_voice_in_call.py` and in `tests/room/`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from voice_fakes import QUICK, Scene

from session.outcomes import Answered, Nothing, Own, Spoken
from skills.loading import BUILT_IN, load_skills
from skills.mockingbird import MOST_TRIES, lines
from skills.mockingbird.studio import Patience
from skills.registry import Begin, Registry
from skills.runner import Runner
from skills.voice import VoiceDeleted, VoiceFailed, Why
from skills.words import words_of

STATES = (
    "confirming",
    "awaiting_voice_sample",
    "capturing_audio",
    "cloning_voice",
    "active",
    "error",
)

Begun = Callable[..., Awaitable[Scene]]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_skills(BUILT_IN, None, lambda *_: None)


@pytest.fixture
async def runner() -> AsyncIterator[Runner]:
    runner = Runner(grace_seconds=0.05, close_seconds=0.1)
    yield runner
    await runner.aclose()


@pytest.fixture
async def begun(registry: Registry, runner: Runner) -> AsyncIterator[Begun]:
    scenes: list[Scene] = []

    async def begun(
        stage: str = "inactive", patience: Patience | None = None, *, is_heard: bool = True
    ) -> Scene:
        scene = Scene(registry, runner, patience=patience, is_heard=is_heard)
        scenes.append(scene)
        if stage != "inactive":
            await scene.until(stage)
        return scene

    yield begun
    for scene in scenes:
        await scene.aclose()


async def test_the_whole_way(begun: Begun) -> None:
    scene = await begun("active")
    assert scene.speaker.is_cloned
    assert scene.cloner.made == 1
    first, consent, *rest = scene.said
    assert first == (
        "This will clone your voice from the conversation. Are you sure you want to proceed?"
    )
    asked, heard = scene.cloner.consents[0]
    assert asked == heard
    assert asked in consent
    assert rest == [
        "Thank you. One moment.",
        "Ready to clone your voice! Please speak naturally for about 8 seconds. "
        "Start speaking now!",
        "Thank you! Processing your voice sample now...",
        "Got it! I'm now speaking with your voice.",
    ]
    assert await scene.says("What is a mockingbird?") == Answered(lines.IN_YOUR_VOICE)
    await scene.says("Back to normal.")
    assert scene.said[-1] == "Switching back to my default voice."
    assert (scene.stage, scene.speaker.is_cloned) == ("inactive", False)


@pytest.mark.parametrize(
    "phrase",
    [
        "use your skill mockingbird",
        "activate mockingbird",
        "mockingbird mode",
        "show me voice cloning",
        "demonstrate voice cloning",
        "mimic my voice",
        "copy my voice",
        "use my voice again",
        "mammic my voice",
        "activate mocking bert",
    ],
)
def test_it_begins_by_phrase(registry: Registry, phrase: str) -> None:
    found = registry.find(words_of(f"June, {phrase}, please"))
    assert isinstance(found, Begin)
    assert found.mode.name == "mockingbird"


async def test_a_call_that_can_clone_nobody_says_so(registry: Registry, runner: Runner) -> None:
    scene = Scene(registry, runner, clones=False)
    assert await scene.floor.begin("mockingbird", {}) == Spoken(lines.NOT_HERE)
    assert scene.stage == "inactive"


# Exit


@pytest.mark.parametrize("stage", STATES)
@pytest.mark.parametrize("words", ["Stop.", "Back to normal.", "Exit mockingbird."])
async def test_exit(begun: Begun, stage: str, words: str) -> None:
    """Deterministic in every state: nothing is under way, and the voice is June's."""
    scene = await begun(stage)
    await scene.says(words)
    assert (scene.stage, scene.speaker.is_cloned) == ("inactive", False)
    assert not scene.recorder.is_listening
    assert not scene.studio.is_busy
    if stage == "confirming":
        assert scene.said[-1] == Own.CANCELED.value
    else:
        assert scene.said[-1] == "Switching back to my default voice."


@pytest.mark.parametrize("stage", STATES[1:])
async def test_what_was_unfinished_is_discarded(begun: Begun, stage: str) -> None:
    scene = await begun(stage)
    before = scene.cloner.discarded
    await scene.says("Stop.")
    await scene.aclose()
    assert scene.cloner.discarded > before


async def test_an_exit_while_the_voice_is_made_wins_over_it(begun: Begun) -> None:
    scene = await begun("cloning_voice")
    await scene.says("Stop.")
    scene.cloner.making.cancel()
    await scene.aclose()
    assert not scene.speaker.is_cloned
    assert lines.GOT_IT not in scene.said


# Barge-in


@pytest.mark.parametrize("stage", STATES[1:])
async def test_barge_in(begun: Begun, stage: str) -> None:
    """Who interrupts June is where they were, and in the voice that they had."""
    scene = await begun(stage, is_heard=False)
    scene.floor.said(scene.said[-1][:9], interrupted=True)
    is_cloned = scene.speaker.is_cloned
    outcome = await scene.says(scene.asked if stage == "awaiting_voice_sample" else "Hang on June.")
    match stage:
        case "awaiting_voice_sample":
            await scene.reach("capturing_audio")
        case "error":
            assert (outcome, scene.stage) == (Answered(), "inactive")
        case _:
            assert isinstance(outcome, Answered if stage == "active" else Nothing)
            assert (scene.stage, scene.speaker.is_cloned) == (stage, is_cloned)


# A network that is lost


@pytest.mark.parametrize("stage", STATES)
async def test_network_lost(begun: Begun, stage: str) -> None:
    """What happens meanwhile is told to who can hear it: when they are back."""
    scene = await begun(stage)
    before = list(scene.said)
    scene.studio.hold()
    match stage:
        case "capturing_audio":
            scene.recorder.spoken.set()
        case "cloning_voice":
            scene.cloner.making.set_result(None)
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert (scene.stage, scene.said) == (stage, before)
    scene.studio.let_go()
    goes_on = {"capturing_audio": "cloning_voice", "cloning_voice": "active"}
    await scene.reach(goes_on.get(stage, stage))
    await scene.says("Stop.")
    assert (scene.stage, scene.speaker.is_cloned) == ("inactive", False)


async def test_who_leaves_it_before_the_news_came_is_not_told(begun: Begun) -> None:
    scene = await begun("cloning_voice")
    scene.studio.hold()
    scene.cloner.making.set_result(None)
    await asyncio.sleep(0.01)
    await scene.says("Stop.")
    scene.studio.let_go()
    await scene.aclose()
    assert (scene.stage, scene.speaker.is_cloned) == ("inactive", False)
    assert lines.GOT_IT not in scene.said


# Silence


async def test_silence_instead_of_a_sample(begun: Begun) -> None:
    """Asked again, twice; then it is over, and June has her voice."""
    scene = await begun("capturing_audio")
    for times in range(1, MOST_TRIES + 1):
        scene.recorder.troubles.append(Why.SILENT)
        scene.recorder.spoken.set()
        if times < MOST_TRIES:
            await scene.hears(lines.BETTER[Why.SILENT], times)
    await scene.reach("error")
    assert sum("I didn't hear anything." in said for said in scene.said) == MOST_TRIES
    assert not scene.speaker.is_cloned
    assert "deleted" in scene.said[-1]


@pytest.mark.parametrize("stage", STATES)
async def test_silence_elsewhere_is_the_calls_own_business(begun: Begun, stage: str) -> None:
    """June asks (`test_silence.py`), unless she and the caller wait for each other."""
    scene = await begun(stage)
    assert scene.studio.is_busy == (stage in ("capturing_audio", "cloning_voice"))


# Hang


@pytest.mark.parametrize("stage", ["awaiting_voice_sample", "capturing_audio", "cloning_voice"])
async def test_hang(begun: Begun, stage: str) -> None:
    """A recorder or a maker that never answers: June says so, and nothing is kept."""
    scene = await begun("awaiting_voice_sample", QUICK)
    sentence = scene.asked
    if stage == "awaiting_voice_sample":
        scene.recorder.is_stuck = True
    elif stage == "cloning_voice":
        scene.recorder.spoken.set()
    await scene.says(sentence)
    await scene.reach("error")
    assert scene.said[-1] == lines.BROKEN
    await scene.aclose()
    assert scene.cloner.discarded
    assert not scene.speaker.is_cloned


# Crash and resume


@pytest.mark.parametrize("stage", STATES)
async def test_crash_and_resume(
    begun: Begun, registry: Registry, runner: Runner, stage: str
) -> None:
    """The call that goes on begins in June's voice, without the mode, and discards what is left."""
    crashed = await begun(stage)
    assert crashed.kept[-1] is not None
    scene = Scene(registry, runner, kept=crashed.kept[-1])
    scene.floor.resume()
    if stage == "confirming":
        assert scene.stage == "confirming"
        await scene.says("No.")
    else:
        assert scene.kept[-1] is None
        await scene.aclose()
        assert scene.cloner.discarded
    assert (scene.stage, scene.speaker.is_cloned) == ("inactive", False)


# The words of consent


async def test_what_is_not_the_sentence_is_asked_for_again_and_then_left(begun: Begun) -> None:
    scene = await begun("awaiting_voice_sample")
    sentences = [scene.asked]
    for _ in range(MOST_TRIES - 1):
        await scene.says("I like big green trees.")
        sentences.append(scene.asked)
    assert len(set(sentences)) == MOST_TRIES
    await scene.says("I like big green trees.")
    assert (scene.stage, scene.said[-1]) == ("inactive", lines.LEFT_IT)
    assert scene.cloner.consents == []


async def test_an_earlier_sentence_is_none(begun: Begun) -> None:
    """Also the one before in the same call."""
    scene = await begun("awaiting_voice_sample")
    earlier = scene.asked
    await scene.says("Sorry, what?")
    await scene.says(earlier)
    assert scene.stage == "awaiting_voice_sample"
    assert scene.cloner.consents == []


async def test_typed_consent_is_refused(begun: Begun) -> None:
    scene = await begun("awaiting_voice_sample")
    await scene.says(scene.asked, typed=True)
    assert scene.said[-1] == lines.TYPED_CONSENT.format(sentence=scene.asked)
    assert scene.cloner.consents == []
    await scene.says(scene.asked)
    await scene.reach("capturing_audio")


@pytest.mark.parametrize("stage", ["capturing_audio", "cloning_voice", "active"])
async def test_text_in_the_middle_of_it(begun: Begun, stage: str) -> None:
    scene = await begun(stage)
    outcome = await scene.says("Hello?", typed=True)
    assert isinstance(outcome, Answered if stage == "active" else Spoken)
    assert scene.stage == stage


async def test_a_phrase_that_the_maker_demands(begun: Begun) -> None:
    scene = await begun("awaiting_voice_sample")
    phrase = "I am the owner of this voice."
    scene.cloner.phrases = (phrase,)
    await scene.says(scene.asked)
    await scene.hears(lines.PHRASE.format(sentence=phrase))
    await scene.says("No idea what that means.")
    assert scene.asked == phrase
    assert scene.cloner.heard_phrases == 0
    await scene.says(phrase)
    await scene.reach("capturing_audio")
    assert scene.cloner.heard_phrases == 1
    assert len(scene.cloner.consents) == 1


async def test_a_voice_that_is_known_needs_no_sample(begun: Begun) -> None:
    scene = await begun("awaiting_voice_sample")
    scene.cloner.is_known = True
    await scene.says(scene.asked)
    await scene.reach("active")
    assert scene.said[-1] == lines.GOT_IT
    assert scene.speaker.is_cloned
    assert scene.cloner.made == 0


# What goes wrong


@pytest.mark.parametrize("why", list(Why))
async def test_each_trouble_with_a_sample_has_its_words(begun: Begun, why: Why) -> None:
    """What the caller can do better is asked for once more; the rest is an end that can be left."""
    scene = await begun("capturing_audio")
    scene.cloner.troubles = [why]
    scene.recorder.spoken.set()
    if why in lines.BETTER:
        await scene.hears(lines.BETTER[why])
        await scene.reach("capturing_audio")
        assert scene.said[-1].endswith("Start speaking now!")
        scene.recorder.spoken.set()
        await scene.reach("cloning_voice")
    else:
        await scene.reach("error")
        assert re.search("deleted|can't copy", scene.said[-1])
        await scene.aclose()
        assert scene.cloner.discarded
    assert not scene.speaker.is_cloned


async def test_an_error_can_be_tried_again(begun: Begun) -> None:
    scene = await begun("error")
    await scene.says("Try again.")
    assert scene.stage == "awaiting_voice_sample"
    await scene.says(scene.asked)
    await scene.reach("capturing_audio")


async def test_a_consent_that_does_not_hold_any_more_ends_it(begun: Begun) -> None:
    scene = await begun("active")
    await scene._told(VoiceFailed(Why.NO_CONSENT))
    assert (scene.stage, scene.said[-1]) == ("inactive", lines.LOST)
    assert not scene.speaker.is_cloned


@pytest.mark.parametrize("stage", STATES[1:])
async def test_a_voice_that_is_deleted_ends_it_quietly(begun: Begun, stage: str) -> None:
    scene = await begun(stage)
    said = list(scene.said)
    await scene._told(VoiceDeleted())
    assert (scene.stage, scene.said, scene.speaker.is_cloned) == ("inactive", said, False)


async def test_a_consent_that_may_not_be_used_puts_nothing_on(begun: Begun) -> None:
    scene = await begun("cloning_voice")
    scene.speaker.may_not = True
    scene.cloner.making.set_result(None)
    await scene.reach("error")
    assert not scene.speaker.is_cloned


# Beside other skills


async def test_another_skill_in_the_callers_voice(begun: Begun) -> None:
    scene = await begun("active")
    outcome = await scene.says("What time is it?")
    assert getattr(outcome, "name", None) == "tell_time"
    assert (scene.stage, scene.speaker.is_cloned) == ("active", True)


async def test_another_mode_takes_the_floor_and_the_voice_is_junes(begun: Begun) -> None:
    scene = await begun("active")
    outcome = await scene.floor.begin("storyteller", {})
    assert isinstance(outcome, Spoken)
    assert outcome.text.startswith(lines.BACK)
    assert scene.floor.skill is not None
    assert scene.floor.skill.name == "storyteller"
    assert not scene.speaker.is_cloned


async def test_news_that_come_too_late_change_nothing(begun: Begun) -> None:
    scene = await begun("active")
    await scene.says("Stop.")
    said = list(scene.said)
    await scene._told(VoiceFailed(Why.FAILED))
    assert (scene.stage, scene.said) == ("inactive", said)


async def test_a_turn_that_was_considered_before_news_came_does_not_undo_them(begun: Begun) -> None:
    """LiveKit asks about a turn early; a sample may be complete before it is committed."""
    scene = await begun("capturing_audio")
    await scene.floor.hear(99, "and that is all I wanted to say")
    scene.recorder.spoken.set()
    await scene.reach("cloning_voice")
    scene.floor.commit(99, "and that is all I wanted to say")
    assert scene.stage == "cloning_voice"
    scene.cloner.making.set_result(None)
    await scene.reach("active")


@pytest.mark.parametrize("stage", STATES)
async def test_a_turn_that_goes_on_after_it_was_considered_changes_nothing(
    begun: Begun, stage: str
) -> None:
    """LiveKit asks about "Stop" before it knows that the caller went on: not committed."""
    scene = await begun(stage)
    kept, is_cloned = scene.kept[-1], scene.speaker.is_cloned
    await scene.floor.hear(50, "Stop")
    assert (scene.stage, scene.speaker.is_cloned) == (stage, is_cloned)
    assert scene.kept[-1] == kept


@pytest.mark.parametrize("words", ["Stop using my voice.", "Use your normal voice.", "Stop."])
async def test_an_exit_is_none_the_less_one_while_something_is_asked(
    begun: Begun, words: str
) -> None:
    scene = await begun("active")
    scene.floor.has_question = True
    await scene.says(words)
    assert (scene.stage, scene.speaker.is_cloned) == ("inactive", False)


async def test_delete_my_voice_is_no_answer(begun: Begun) -> None:
    scene = await begun("active")
    scene.floor.has_question = True
    outcome = await scene.says("Delete my voice.")
    assert getattr(outcome, "name", None) == "delete_my_voice"
    assert getattr(await scene.says("Blue."), "name", None) == "answer_question"


async def test_a_sample_that_is_there_while_a_turn_is_taken_is_not_lost(begun: Begun) -> None:
    """News and a turn at the same moment: the mode goes on, whichever comes first."""
    scene = await begun("capturing_audio")
    told, turn_taken = scene.floor._steps.told, False

    async def slow(holder: Any, news: Any) -> Any:
        nonlocal turn_taken
        taken = await told(holder, news)
        if not turn_taken:
            turn_taken = True
            await scene.says("It was a sunny day.")
        return taken

    object.__setattr__(scene.floor._steps, "told", slow)
    scene.recorder.spoken.set()
    await scene.reach("cloning_voice")
    assert turn_taken


async def test_what_is_asked_to_leave_it_in_other_words(begun: Begun) -> None:
    for words in (
        "Don't use my voice anymore.",
        "Stop speaking with my voice.",
        "Speak in your own voice.",
        "I want my voice back.",
    ):
        scene = await begun("active")
        await scene.says(words)
        assert (words, scene.stage) == (words, "inactive")


@pytest.mark.parametrize("stage", ["awaiting_voice_sample", "capturing_audio", "cloning_voice"])
@pytest.mark.parametrize(
    "words", ["No.", "No thanks.", "I do not consent.", "I changed my mind.", "I don't want to."]
)
async def test_who_does_not_want_to_is_not_pressed(begun: Begun, stage: str, words: str) -> None:
    scene = await begun(stage)
    await scene.says(words)
    assert (scene.stage, scene.said[-1]) == ("inactive", lines.LEFT_IT)
    assert not scene.studio.is_busy


async def test_goodbye_is_goodbye_in_the_middle_of_it(begun: Begun) -> None:
    scene = await begun("awaiting_voice_sample")
    assert getattr(await scene.says("Goodbye."), "name", None) == "end_call"


async def test_a_sentence_is_said_again_to_who_asks_for_it(begun: Begun) -> None:
    """Twice, and that is no try; then it is one."""
    scene = await begun("awaiting_voice_sample")
    sentence = scene.asked
    for words in ("What?", "Can you repeat that?"):
        await scene.says(words)
        assert scene.asked == sentence
    await scene.says("What?")
    assert scene.asked != sentence
    assert scene.stage == "awaiting_voice_sample"


async def test_a_maker_that_takes_long(begun: Begun) -> None:
    """The caller is told so, not left in silence."""
    scene = await begun("capturing_audio", Patience(long_seconds=0.02))
    scene.recorder.spoken.set()
    await scene.hears(lines.STILL, times=2)
    scene.cloner.making.set_result(None)
    await scene.reach("active")


async def test_what_nobody_has_heard_is_said_again(begun: Begun) -> None:
    """A caller who talked over it would else be answered in their own voice, unannounced."""
    scene = await begun("active", is_heard=False)
    scene.floor.said("", interrupted=True)
    scene.is_heard = True
    assert await scene.says("And another thing.") == Spoken(lines.GOT_IT)
    assert await scene.says("And another thing.") == Answered(lines.IN_YOUR_VOICE)


async def test_asking_for_it_again(begun: Begun) -> None:
    active = await begun("active")
    assert await active.says("Copy my voice.") == Spoken(lines.ALREADY)
    error = await begun("error")
    await error.says("Copy my voice.")
    assert error.stage == "awaiting_voice_sample"
