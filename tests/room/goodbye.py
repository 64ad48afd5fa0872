"""How a caller is sent away who may do no more: in words."""

from room.caller import Caller
from room.ears import word_error_rate
from room.worker import Worker


async def told_goodbye(worker: Worker, caller: Caller, line: str, reason: str = "limit") -> None:
    """June says it, aloud and in text, and leaves."""
    heard = await caller.hear(20)
    # Of five words, as in her goodbye, two may be misheard: "the bay".
    assert word_error_rate(line, heard.text) < 0.5, heard.text
    assert caller.june_says[-1] == line
    ended = await worker.event("call.ended", 20, room=caller.room_name)
    assert ended["reason"] == reason
    await caller.until(lambda: caller.june() is None, 15, "June leaves")
