"""Every store under eight processes at once: each operation is done whole, and once."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import PROCESSES, Crowd, forking
from test_store import NOW, begin, said

from session.limits import Ask, BlockRule, Budget, Decision, Window
from session.money import Account, Breaker, Charge, Reservation
from session.records import Removed, Session, SessionStats, TurnMetrics
from session.store import Store

EACH = 40
"""How often each of them does it."""


@pytest.fixture(scope="module")
def crowd_of() -> Iterator["type[Crowd] | object"]:
    raise NotImplementedError


# Sessions.


async def talk(store: Store, number: int) -> tuple[set[str], int, int]:
    """In five rooms: which sessions, how often a new one, messages it was first with."""
    ids, fresh, first = set(), 0, 0
    for turn in range(EACH):
        session = await begin(store, f"room {turn % 5}")
        ids.add(session.session_id)
        fresh += session.resumes == 0
        first += await store.sessions.append(said(session, f"{turn}"), now=NOW)
    return ids, fresh, first
