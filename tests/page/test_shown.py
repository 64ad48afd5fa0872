"""What the page shows of whatever June does, with a June by script and a real LiveKit server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from livekit import rtc

from agent.livekit_server import LoopbackServer
from page.conftest import OpenPage
from page.page import Page
from page.scripted_june import ScriptedJune
from page.served import Served, served_in

FACE = "document.querySelector('#face').dataset.state"


@pytest.fixture
async def served(livekit: LoopbackServer, tmp_path: Path) -> AsyncIterator[Served]:
    async with served_in(tmp_path, livekit) as served:
        yield served


async def waiting(page: Page) -> None:
    """The caller is in their room, and June is not."""
    await page.click("#talk")
    await page.wait_for("document.body.dataset.phase === 'waiting'", 15)


async def has_read(june: ScriptedJune, text: str) -> None:
    for _ in range(100):
        if text in june.texts:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"June has read {june.texts}")


async def calls(page: Page, served: Served, livekit: LoopbackServer) -> ScriptedJune:
    """Until they are in a room; who is to join it as June."""
    before = set(served.api.rooms.dispatched)
    await waiting(page)
    (room,) = set(served.api.rooms.dispatched) - before
    return ScriptedJune(livekit, room)


async def test_her_state_words_and_times(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    page = await open_page(served.url)
    await page.evaluate("document.querySelector('#talk').focus(), null")
    async with await calls(page, served, livekit) as june:
        await page.wait_for("document.body.dataset.phase === 'here'")
        assert await page.evaluate("document.activeElement.id") == "hang-up", "no focus is lost"
        for state, words in {
            "initializing": "getting ready",
            "listening": "June is listening",
            "thinking": "June is thinking",
            "speaking": "June is speaking",
        }.items():
            await june.is_(state)
            await page.wait_for_text(words, "#title")
            assert await page.evaluate(FACE) == state

        await june.hears("one", "what thyme", is_final=False)
        await page.wait_for_text("what thyme", ".of-caller.is-interim")
        await june.hears("one", "What time is it?", is_final=True)
        await page.wait_for_text("What time is it?", ".of-caller:not(.is-interim)")
        await june.hears("two", "hm", is_final=False)
        await page.wait_for_text("hm", ".of-caller.is-interim")
        await june.hears("two", "", is_final=True)
        await page.wait_for("document.querySelectorAll('.of-caller').length === 1")
        await june.says("It is <b>noon</b>", " and nobody", " listens.")
        await page.wait_for_text("It is <b>noon</b> and nobody listens.", ".of-june")

        stages = {"final_text": 0.31, "end_of_turn": 0.52, "first_token": 0.6, "first_audio": 0.92}
        await june.tells("reply.cut", turn=1, heard_characters=9)
        await june.tells("turn.timed", turn=1, stages=stages, is_interrupted=True)
        await page.wait_for_text("0.92", "#turns")
        await page.wait_for_text("interrupted", ".of-june.is-cut")
        assert "The reply began after 0.92" in await page.text("#median")

        await page.click("#hang-up")


async def test_skills_voices_limits_and_trouble(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """And in another language, in the middle of the call."""
    page = await open_page(served.url)
    async with await calls(page, served, livekit) as june:
        await page.wait_for("document.body.dataset.phase === 'here'")
        await june.is_("speaking")
        await page.wait_for_text("June is speaking", "#title")
        await june.tells("skill.used", skill="clock")
        await page.wait_for_text("June used: the clock", "#transcript")
        await june.tells("skill.began", skill="storyteller")
        await page.wait_for_text("the storyteller", "#skill")
        await june.tells("voice.cloned")
        await page.wait_for_text("a copy of your voice", "#copied")
        assert await page.faults() == []
        await page.click("#uncopy")
        await page.wait_for_text("Use your normal voice.", ".of-caller.is-typed")
        await has_read(june, "Use your normal voice.")
        await june.tells("voice.own")
        await june.tells("skill.ended", skill="storyteller")
        await page.wait_for("document.querySelector('#copied').hidden")
        await page.wait_for("document.querySelector('#skill').hidden")

        await june.tells("limit.near", reason="too_many_turns")
        await page.wait_for_text("nearly reached a limit", "#transcript")
        await june.tells("limit.refused", reason="too_many_turns", retry_after_seconds=12.5)
        await page.wait_for_text("too many questions in a short time. Try again in 13 s.", "ol")
        await june.tells("budget.refused", reason="user_budget", retry_after_seconds=0)
        await page.wait_for_text("what she may spend for you today", "#transcript")
        await june.tells("trouble", stage="llm")
        await page.wait_for_text("could not think of an answer", "#transcript")
        await june.tells("of.a.newer.june", anything=1)
        await page.choose("#language", "de")
        await page.wait_for_text("June spricht", "#title")
        assert await page.faults() == []
        await page.click("#hang-up")
        await page.wait_for_text("Sie haben aufgelegt", "#notice")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("goodbye", "June said goodbye"),
        ("idle", "She heard nothing from you"),
        ("limit", "A limit, or the money for it"),
        ("removed", "Whoever runs June has ended it"),
    ],
)
async def test_why_june_has_gone(
    served: Served, livekit: LoopbackServer, open_page: OpenPage, reason: str, words: str
) -> None:
    """For good: the page hangs up as well, and one may call again."""
    page = await open_page(served.url)
    async with await calls(page, served, livekit) as june:
        await page.wait_for("document.body.dataset.phase === 'here'")
        await june.tells("call.ended", reason=reason)
    await page.wait_for_text(words, "#notice")
    assert await page.text("#talk") == "Call again"


@pytest.mark.slow
async def test_a_june_who_is_cut_off_comes_back(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """The caller stays, is told so, and goes on with the next one: one June after the other."""
    page = await open_page(served.url)
    first = await calls(page, served, livekit)
    async with AsyncExitStack() as stack:
        async with first as june:
            await page.wait_for("document.body.dataset.phase === 'here'")
            await june.tells("skill.began", skill="storyteller")
            await june.tells("call.ended", reason="drain")
            await page.wait_for_text("the storyteller", "#skill")
        await page.wait_for_text("June was cut off", "#title")
        asked = served.api.rooms.asked
        await page.wait_for_text("June was cut off", "#title")
        await stack.enter_async_context(ScriptedJune(livekit, first.name))
        await page.wait_for("document.body.dataset.phase === 'here'")
        assert served.api.rooms.asked == asked, "she was there before she was asked again"
        assert await page.evaluate("document.querySelector('#skill').hidden")
        await page.click("#hang-up")


@pytest.mark.slow
async def test_june_is_asked_again(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """After five seconds, in words; where all her lines are busy, in others."""
    served.api.worker.calls = served.api.config.worker.max_calls
    page = await open_page(served.url)
    june = await calls(page, served, livekit)
    assert await page.text("#title") == "June is on her way…"
    await page.wait_for_text("June is on other calls", "#title", 8)
    assert await page.faults() == []
    async with june:
        await page.wait_for("document.body.dataset.phase === 'here'")
    await page.click("#hang-up")


@pytest.mark.slow
async def test_a_line_that_is_lost_is_dialled_again(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    page = await open_page(served.url)
    async with await calls(page, served, livekit):
        await page.wait_for("document.body.dataset.phase === 'here'")
        await page.evaluate("[...__sockets, ...__peers].forEach(one => one.close())")
        await page.wait_for("document.body.dataset.phase === 'reconnecting'")
        await page.wait_for("document.body.dataset.phase === 'here'", 20)
        await page.click("#hang-up")
        await page.wait_for_text("You hung up", "#notice")


async def test_what_is_typed_before_she_listens_waits_for_her(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """LiveKit gives text to those who are there, and to nobody else."""
    page = await open_page(served.url)
    june = await calls(page, served, livekit)
    await page.fill("#text", "Are you there?")
    await page.press("Enter")
    await page.wait_for_text("Are you there?", ".is-typed:not(.is-unsent)")
    async with june:
        await page.wait_for("document.body.dataset.phase === 'here'")
        await june.is_("listening")
        await has_read(june, "Are you there?")
        await page.click("#hang-up")


async def test_who_is_muted_stays_so(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """Also where the microphone is pulled out and comes back by itself."""
    page = await open_page(served.url)
    async with await calls(page, served, livekit) as june:
        await page.wait_for("document.body.dataset.phase === 'here'")
        await page.click("#mute")
        await page.evaluate(
            "(() => { const media = navigator.mediaDevices; globalThis.__open = media.getUserMedia;"
            " media.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') } })()"
        )
        await page.unplug()
        await page.wait_for_text("Your microphone is gone", "#notice")
        await page.evaluate(
            "navigator.mediaDevices.getUserMedia = __open, "
            "navigator.mediaDevices.dispatchEvent(new Event('devicechange')), null"
        )
        await page.wait_for("document.getElementById('notice').hidden")
        assert await page.text("#mute") == "Unmute"
        (caller,) = june.room.remote_participants.values()
        assert all(track.muted for track in caller.track_publications.values())
        await page.click("#mute")
        await page.wait_for("document.querySelector('#mute').textContent === 'Mute'")
        for _ in range(100):
            if not any(track.muted for track in caller.track_publications.values()):
                break
            await asyncio.sleep(0.05)
        assert not any(track.muted for track in caller.track_publications.values())
        await page.click("#hang-up")


async def test_a_browser_that_plays_no_sound_is_asked_to(
    served: Served, livekit: LoopbackServer, open_page: OpenPage
) -> None:
    """As some do until a button was pressed just now."""
    page = await open_page(served.url)
    await page.evaluate(
        "(() => { const play = HTMLMediaElement.prototype.play; globalThis.__play = play; "
        "HTMLMediaElement.prototype.play = async () => "
        "{ throw new DOMException('', 'NotAllowedError') } })()"
    )
    async with await calls(page, served, livekit) as june:
        source = rtc.AudioSource(48_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        await june.room.local_participant.publish_track(track)
        await page.wait_for_text("plays no sound yet", "#notice")
        assert await page.faults() == []
        await page.evaluate("HTMLMediaElement.prototype.play = __play, null")
        await page.click("#notice-buttons button")
        await page.wait_for("document.getElementById('notice').hidden")
        await page.click("#hang-up")


async def test_a_tab_at_its_question_for_the_microphone_gives_way(
    served: Served, open_page: OpenPage
) -> None:
    first = await open_page(served.url)
    await first.evaluate("navigator.mediaDevices.getUserMedia = () => new Promise(() => {}), null")
    await first.click("#talk")
    await first.wait_for("document.body.dataset.phase === 'opening'")
    second = await open_page(served.url, beside=first)
    await second.click("#talk")
    await second.wait_for_text("another tab", "#notice")
    await second.click("#notice-buttons [name=takeOver]")
    await second.wait_for("document.body.dataset.phase === 'waiting'", 15)
    await first.wait_for_text("This one has hung up", "#notice")
    await second.click("#hang-up")


@pytest.mark.slow
async def test_who_cancels_while_another_tab_gives_way_is_not_asked_for_a_microphone(
    served: Served, open_page: OpenPage
) -> None:
    """And may call afterwards."""
    first = await open_page(served.url)
    await first.evaluate(
        "navigator.locks.request('june.call', "
        "() => new Promise(free => { globalThis.__free = free })), null"
    )
    page = await open_page(served.url, beside=first)
    await page.evaluate("__asked.length = 0, null")
    await page.click("#talk")
    await page.click("#notice-buttons [name=takeOver]")
    await page.click("#cancel")
    await first.evaluate("__free(), null")
    await asyncio.sleep(1)
    assert await page.evaluate("document.body.dataset.phase") == "idle"
    assert await page.evaluate("__asked.length") == 0
    await page.click("#talk")
    await page.wait_for("document.body.dataset.phase === 'waiting'", 15)
    await page.click("#hang-up")
