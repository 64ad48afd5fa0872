"""Voices under eight processes at once, and under `kill -9`: what is left is always found."""

import asyncio
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.pool import Pool
from pathlib import Path

import pytest
from processes import PROCESSES, SHARED, Crowd, forking, run, url_of
from test_store import NOW
from voices_kept import DAY, KEY, Clock, call_of, consent_of, said_with, sweep, voice_of

from session import NoConsent, Voices
from session.store import Store, open_store
from session.voice_places import GRACE_SECONDS

EACH = 3
"""How often each of them does it."""

USERS = ("ann", "bob")


def at(store: Store, now: float) -> Voices:
    return Voices(store, KEY, Clock(now))


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with forking.Pool(PROCESSES) as processes:
        yield processes


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, request, tmp_path)


async def clone_all(store: Store, number: int) -> list[str]:
    """The names that it has begun; of each user, in turn with all others."""
    names, voices = [], at(store, NOW)
    for turn in range(EACH):
        session = await call_of(store, USERS[(number + turn) % 2])
        try:
            consent = await consent_of(voices, session)
            names.append(await voices.begin_clone(consent, "openai"))
            await voices.keep_clone(consent, names[-1], "data")
            await voices.list_utterances(session, f"{number}", turn, said_with(consent, 1))
        except NoConsent:
            continue  # another one's came later
    return names


async def kept_names(store: Store, now: float) -> set[str]:
    """Of clones that June would speak with."""
    found = set()
    for user in USERS:
        session = await call_of(store, user)
        voice = await at(store, now).of(session)
        if voice is not None and voice.clone is not None:
            assert await at(store, now).may_speak(voice.consent.consent_id, session)
            found.add(voice.clone.name)
    return found


async def sweep_at(store: Store, now: float) -> list[str]:
    return await sweep(at(store, now))


async def receipts(store: Store) -> int:
    """Those of clones, of today and tomorrow."""
    found = [
        one
        for seconds in (0, DAY)
        for one in await at(store, NOW).receipts(
            datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%d")
        )
    ]
    return sum("provider copy" in one.removed for one in found)


async def left(store: Store) -> dict[str, str]:
    found: dict[str, str] = {}
    for user in USERS:
        for skill in ("june/voice", "june/manifest"):
            found.update(await store.memories.all(user, skill))
    return found


def check_all_is_found(url: str, made: list[str], *, nobody_died: bool) -> None:
    """Of these clones at most one of each user is kept; each of them is deleted once."""
    kept = run(url, partial(kept_names, now=NOW))
    assert len(kept) <= len(USERS)
    swept = set(run(url, partial(sweep_at, now=NOW + GRACE_SECONDS)))
    assert not (nobody_died and swept & kept)
    assert run(url, partial(kept_names, now=NOW)) == kept - swept
    swept |= set(run(url, partial(sweep_at, now=NOW + DAY)))
    assert run(url, partial(sweep_at, now=NOW + DAY)) == []
    assert set(made) <= swept
    assert run(url, receipts) == len(swept)
    assert run(url, left) == {}


def test_of_many_voices_of_a_user_one_is_kept(url: str, pool: Pool) -> None:
    """All others are found by the sweep, and have their receipts."""
    made = [name for each in Crowd(pool, url).at_once(clone_all) for name in each]
    assert made
    check_all_is_found(url, made, nobody_died=True)


async def doom_some(store: Store) -> list[str]:
    """The names."""
    names = []
    for number in range(5):
        session = await call_of(store, f"user {number}")
        _, clone = await voice_of(at(store, NOW), session)
        await at(store, NOW).delete(session.user, "asked")
        names.append(clone.name)
    return names


async def sweep_now(store: Store, number: int) -> list[str]:
    return await sweep(at(store, NOW))


def test_a_deletion_has_one_receipt_however_many_sweep(url: str, pool: Pool) -> None:
    """And nobody takes a voice for one that is not doomed."""
    names = run(url, doom_some)
    swept = Crowd(pool, url).at_once(sweep_now)
    assert {name for each in swept for name in each} == set(names)
    assert run(url, receipts) == len(names)


def live(url: str, number: int, pipe: Connection) -> None:
    """Until it is killed. Each name is told before its maker would be asked."""

    async def steps() -> None:
        store = await open_store(url)
        voices = at(store, NOW)
        session = await call_of(store, USERS[number % 2])
        while True:
            try:
                consent = await consent_of(voices, session)
                name = await voices.begin_clone(consent, "openai")
                pipe.send_bytes(name.encode())
                await voices.keep_clone(consent, name, "data")
                await voices.list_utterances(session, f"{number}", 0, said_with(consent, 2))
                await voices.delete(session.user, "asked")
            except NoConsent:
                continue

    asyncio.run(steps())


def killed(url: str, number: int) -> list[str]:
    """The names that it has told."""
    ours, theirs = forking.Pipe(duplex=False)
    process = forking.Process(target=live, args=(url, number, theirs))
    process.start()
    theirs.close()
    names = []
    for _ in range(random.randint(1, 3)):
        assert ours.poll(20), "it hangs"
        names.append(ours.recv_bytes().decode())
    time.sleep(random.uniform(0, 0.02))
    process.kill()
    process.join()
    try:
        while True:
            names.append(ours.recv_bytes().decode())
    except EOFError:
        ours.close()
    return names


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_whoever_is_killed_leaves_no_voice_for_ever(url: str, rounds: int) -> None:
    """Wherever it was."""
    made = [name for number in range(rounds) for name in killed(url, number)]
    check_all_is_found(url, made, nobody_died=False)
