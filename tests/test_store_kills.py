"""Every store under `kill -9`: what was acknowledged is there, nothing is half, no lock is left."""

import asyncio
import random
import time
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from processes import SHARED, forking, run, url_of
from test_store import NOW, begin, said

from session.limits import Budget
from session.money import Account, Charge, Reservation
from session.store import Store, open_store

WRITERS = 4

ALL = Budget("all", "")

FIELDS = ("spent_micros", "reserved_micros", "spent_tokens", "reserved_tokens", "requests")


def own(name: str) -> Budget:
    return Budget(f"of {name}", "")


def write(url: str, name: str, pipe: Connection) -> None:
    """Until it is killed; each step is acknowledged once it is done."""

    async def steps() -> None:
        store = await open_store(url)
        session = await begin(store, name)
        number = 0
        while True:
            await store.sessions.append(said(session, f"{number}"), now=NOW)
            pipe.send_bytes(b"kept")
            hold = Reservation(f"{name} {number}", (ALL, own(name)), micros=10, tokens=3)
            assert (await store.ledger.reserve(hold, now=NOW)).allowed
            pipe.send_bytes(b"reserved")
            assert await store.ledger.settle(hold.id, Charge(7, 2), now=NOW)
            pipe.send_bytes(b"settled")
            number += 1

    asyncio.run(steps())


class Writer:
    """A process that writes, and what it has acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.acknowledged: list[bytes] = []
        self._pipe, theirs = forking.Pipe(duplex=False)
        self._process = forking.Process(target=write, args=(url, name, theirs))
        self._process.start()
        theirs.close()

    def wait_for(self, steps: int) -> None:
        while len(self.acknowledged) < steps:
            assert self._pipe.poll(20), "it hangs"
            self.acknowledged.append(self._pipe.recv_bytes())

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.join()
        assert self._process.exitcode == -9
        try:
            while True:
                self.acknowledged.append(self._pipe.recv_bytes())
        except EOFError:
            self._pipe.close()


async def check(store: Store, writers: list[Writer]) -> None:
    """Each of them was at most one step further than what it has said."""
    for writer in writers:
        kept, reserved, settled = map(writer.acknowledged.count, (b"kept", b"reserved", b"settled"))
        session = await store.sessions.by_room(writer.name)
        assert session is not None
        messages = await store.sessions.messages(session.session_id)
        assert [message.id for message in messages] == [str(n) for n in range(len(messages))]
        assert session.message_count == len(messages)
        assert kept <= len(messages) <= kept + 1
        (account,) = await store.ledger.accounts([own(writer.name).key], now=NOW)
        were_settled = account.spent_micros // 7
        assert reserved <= account.requests <= reserved + 1
        assert settled <= were_settled <= settled + 1
        assert account == Account(
            account.key,
            spent_micros=7 * were_settled,
            spent_tokens=2 * were_settled,
            reserved_micros=10 * (account.requests - were_settled),
            reserved_tokens=3 * (account.requests - were_settled),
            requests=account.requests,
        )


async def check_sums(store: Store, names: list[str]) -> None:
    """No reservation is in one of its two budgets and not in the other."""
    every, *each = await store.ledger.accounts(
        [ALL.key, *(own(name).key for name in names)], now=NOW
    )
    for field in FIELDS:
        assert getattr(every, field) == sum(getattr(one, field) for one in each), field


async def write_at_once(store: Store, name: str) -> None:
    """Nobody who died holds a lock."""
    begun = time.monotonic()
    session = await begin(store, name)
    assert await store.sessions.append(said(session, "x"), now=NOW)
    assert time.monotonic() - begun < 1


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, request, tmp_path)


@pytest.mark.parametrize("rounds", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_what_was_acknowledged_survives_a_kill(url: str, rounds: int) -> None:
    """Four writers at a time, killed in the midst of it."""
    names: list[str] = []
    for turn in range(rounds):
        writers = [Writer(url, f"{turn} {number}") for number in range(WRITERS)]
        names += [writer.name for writer in writers]
        for writer in writers:
            writer.wait_for(random.randint(1, 30))
        for writer in writers:
            time.sleep(random.uniform(0, 0.005))
            writer.kill()
        for writer in writers:
            writer.end()
        run(url, partial(check, writers=writers))
        run(url, partial(write_at_once, name=f"after {turn}"))
    run(url, partial(check_sums, names=names))
