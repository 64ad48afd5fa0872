"""Of a voice that was deleted nothing is left in files; and who else deletes it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from test_store import NOW
from voices_kept import AUDIO, DAY, EMBEDDING, Clock, said_with, sweep, voice_of

from agent.sessions_text import receipt
from bench.redis_server import RedisServer
from session import CloseReason, Removed, Session, SessionConfig, SessionService, open_sessions

Files = Callable[[], bytes]
"""All that a store has written, as it is now."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sessions(tmp_path: Path, clock: Clock) -> AsyncIterator[SessionService]:
    async with open_sessions(SessionConfig(tmp_path / "june"), now=clock) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "redis"])
async def kept(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[tuple[SessionService, Files]]:
    """A memory that is written down, and what stands there."""
    folder, url = tmp_path / "june", ""
    if request.param == "redis":
        server = request.getfixturevalue("dumping")
        url = server.url

    def files() -> bytes:
        if url:
            assert server.ask(b"SAVE").startswith(b"+OK")
        return b"".join(path.read_bytes() for path in folder.iterdir())

    async with open_sessions(
        SessionConfig(folder, store_url=url, secret_key=b"k" * 32), now=clock
    ) as opened:
        # Time stands still for the test: Redis's own would run.
        opened._clock = lambda: clock.now - opened._store.skew_seconds
        yield opened, files


@pytest.fixture
def dumping(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that writes its texts as they are, into the folder of the test."""
    folder = tmp_path / "june"
    folder.mkdir()
    with RedisServer(folder, "--rdbcompression", "no") as server:
        yield server


async def secrets_of(sessions: SessionService, session: Session) -> list[bytes]:
    """A voice, and all by which it could be known again."""
    consent, clone = await voice_of(sessions.voices, session)
    said = said_with(consent, 40)
    await sessions.voices.list_utterances(session, "call", 0, said[:35])
    await sessions.voices.list_utterances(session, "call", 1, said[35:])
    texts = (
        consent.consent_id,
        consent.signature,
        consent.asked,
        consent.heard,
        AUDIO,
        EMBEDDING,
        clone.name,
        "voice_4711",
        said[3].sha256,
        said[39].sha256,
    )
    return [text.encode() for text in texts]


def left_of(secrets: list[bytes], files: Files) -> list[bytes]:
    content = files()
    return [secret for secret in secrets if secret in content]


async def test_of_a_deleted_voice_nothing_is_left_in_files(
    kept: tuple[SessionService, Files],
) -> None:
    """Here at once, but for the clone's name, which goes when its maker has deleted it."""
    sessions, files = kept
    session = await sessions.get_or_create_for_room("room", "Ann")
    secrets = await secrets_of(sessions, session)
    assert left_of(secrets, files) == secrets, "they would be seen"
    deleted = await sessions.voices.delete(session.user, "asked")
    assert deleted is not None
    (doomed,) = deleted.doomed
    assert left_of(secrets, files) == [doomed.name.encode()]
    assert await sessions.voices.gone(doomed.name, verified=True) is not None
    assert left_of(secrets, files) == []


async def test_of_a_voice_that_expired_nothing_is_left_in_files(
    kept: tuple[SessionService, Files], clock: Clock
) -> None:
    """Once June has cleaned up and swept, as she does every hour."""
    sessions, files = kept
    secrets = await secrets_of(sessions, await sessions.get_or_create_for_room("room", "Ann"))
    clock.now += DAY
    assert (await sessions.cleanup_expired_sessions()).voices == 1
    assert left_of(secrets, files) == [secrets[6]]
    assert await sweep(sessions.voices) == [secrets[6].decode()]
    assert left_of(secrets, files) == []


# Who else deletes it.


async def doomed_why(sessions: SessionService) -> list[str]:
    return [one.why for one in await sessions.voices.overdue()]


async def test_who_is_forgotten_has_no_voice(sessions: SessionService) -> None:
    """It is counted, once; also where no session is left."""
    session = await sessions.get_or_create_for_room("room", "Ann")
    await voice_of(sessions.voices, session)
    other = await sessions.get_or_create_for_room("room", "Bob")
    consent, _ = await voice_of(sessions.voices, other)
    removed = await sessions.forget_user("Ann")
    assert removed == Removed(sessions=1, voices=1)
    assert await sessions.voices.of(session) is None
    assert await doomed_why(sessions) == ["forgotten"]
    assert await sessions.forget_user("Ann") == Removed()
    assert await sessions.voices.may_speak(consent.consent_id, other)
    text = receipt("Ann", removed, still_open=0, store="memory:", set_aside=(), at=NOW)
    assert "\n  voices          1\n" in text


async def test_a_session_takes_the_voice_with_it_that_was_given_in_it(
    sessions: SessionService,
) -> None:
    """And not one that was given in another one of the same user."""
    first = await sessions.get_or_create_for_room("a", "Ann")
    second = await sessions.get_or_create_for_room("b", "Ann")
    consent, _ = await voice_of(sessions.voices, first)
    assert await sessions.delete_session(second.session_id)
    assert await sessions.voices.may_speak(consent.consent_id, first)
    assert await sessions.delete_session(first.session_id)
    assert await sessions.voices.of(first) is None
    assert await doomed_why(sessions) == ["session deleted"]
    assert not await sessions.delete_session(first.session_id)


async def test_a_session_without_life_leaves_the_voice_until_it_expires(
    sessions: SessionService, clock: Clock
) -> None:
    """Its end is its consent's."""
    session = await sessions.get_or_create_for_room("room", "Ann")
    clock.now += 1
    consent, _ = await voice_of(sessions.voices, session)
    await sessions.close_session(session.session_id, CloseReason.GOODBYE)
    clock.now = NOW + 1.5 + DAY - 1
    assert await sessions.cleanup_expired_sessions() == Removed()
    assert await sessions.voices.may_speak(consent.consent_id, session)
    clock.now = NOW + 2 + DAY
    assert await sessions.cleanup_expired_sessions() == Removed(sessions=1, voices=1)
    assert await sessions.cleanup_expired_sessions() == Removed()
    assert await doomed_why(sessions) == ["expired"]


async def test_what_a_voice_is_kept_with_is_no_skills(sessions: SessionService) -> None:
    """What skills keep is counted without it."""
    session = await sessions.get_or_create_for_room("room", "Ann")
    await sessions.memory_of(session, "notes").put("1", "milk")
    await voice_of(sessions.voices, session)
    assert await sessions.forget_user("Ann") == Removed(sessions=1, memories=1, voices=1)
