"""One use of an ability: its result, its questions, and how it is taken back."""

import asyncio

import pytest

from agent.skill_use import Question, SkillUse


def begun(*questions: str, fails: bool = False) -> tuple[SkillUse, list[str]]:
    """A use that asks these questions and then gives the answers."""
    use = SkillUse()
    ended: list[str] = []

    async def run() -> str:
        try:
            answers = [await use.ask(question) for question in questions]
            if fails:
                raise ValueError("no")
            return " ".join(answers) or "done"
        finally:
            ended.append("ended")

    use.begin("test", run)
    return use, ended


async def test_an_ability_that_asks_nothing_has_a_result() -> None:
    """At once."""
    use, _ = begun()
    assert await use.outcome() == "done"


async def test_questions_are_asked_one_after_the_other() -> None:
    """Each answer leads on."""
    use, ended = begun("Which?", "Sure?")
    assert await use.outcome() == Question("Which?")
    assert use.is_asking
    assert await use.answered("the first") == Question("Sure?")
    assert await use.answered("yes") == "the first yes"
    assert (use.is_asking, ended) == (False, ["ended"])


async def test_what_fails_fails_for_whoever_waits() -> None:
    """Also after a question."""
    use, _ = begun("Which?", fails=True)
    await use.outcome()
    with pytest.raises(ValueError, match="no"):
        await use.answered("that")


async def test_who_does_not_wait_any_more_ends_it() -> None:
    """The caller spoke again; nothing runs on."""
    use = SkillUse()
    ended = asyncio.Event()

    async def run() -> str:
        try:
            await asyncio.sleep(3_600)
        finally:
            ended.set()
        return ""

    use.begin("test", run)
    waiting = asyncio.create_task(use.outcome())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_question_that_nobody_answers_ends_with_the_call() -> None:
    """And so does one that was never begun."""
    use, ended = begun("Which?")
    await use.outcome()
    await use.aclose()
    assert ended == ["ended"]
    await SkillUse().aclose()
