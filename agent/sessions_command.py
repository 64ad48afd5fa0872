"""`./june sessions`: what June keeps, shown to the operator and removed for them, without LiveKit.

Each function's answer is what the command prints. Besides `StoreError` and `StoreUnusable` all
raise `CannotStart` where the store keeps nothing between processes.
"""

import json
import shlex
from pathlib import Path

from agent.command import kept_sessions
from agent.config import Config
from agent.folders import CONSENTS
from agent.session_pages import page_of
from agent.sessions_text import receipt, record, table, transcript
from agent.settings_store import without_password
from agent.waterfall import waterfalls
from session import Session, SessionService, UnknownSession
from session.records import Status
from session.store.sqlite.rescue import set_aside_files


async def listed(config: Config, *, limit: int, skip: int, user: str | None, as_json: bool) -> str:
    """Sessions, of one user or of all, the newest sign of life first."""
    async with kept_sessions(config) as sessions:
        found, is_more = await page_of(sessions, limit=limit, skip=skip, user=user)
    if as_json:
        return json.dumps([one.model_dump(mode="json") for one in found], indent=2)
    if not found:
        return "There are no more sessions." if skip else "There are no sessions."
    if not is_more:
        return table(found)
    of_user = "" if user is None else f" --user {shlex.quote(user)}"
    more = f"./june sessions list --limit {limit} --skip {skip + limit}{of_user}"
    return f"{table(found)}\nThere are more: `{more}`."


async def shown(config: Config, session_id: str, *, as_json: bool) -> str:
    """A session and what was said in it. Raises `UnknownSession`."""
    async with kept_sessions(config) as sessions:
        session = await sessions.get_session(session_id)
        messages = await sessions.history(session_id)
        reply = await sessions.reply_times(session_id)
        turns = await sessions.turn_metrics(session_id)
        spent_micros = await sessions.money.spent_by(session)
    if not as_json:
        parts = [
            record(session, reply, spent_micros),
            waterfalls(turns),
            transcript(session, messages),
        ]
        return "\n\n".join(filter(None, parts))
    return json.dumps(
        {
            "session": session.model_dump(mode="json"),
            "reply_times": reply.model_dump(mode="json"),
            "spent_micros": spent_micros,
            "turns": [turn.model_dump(mode="json") for turn in turns],
            "messages": [message.model_dump(mode="json") for message in messages],
        },
        indent=2,
    )


async def deleted(config: Config, session_id: str) -> str:
    """Remove a session. Raises `UnknownSession`."""
    async with kept_sessions(config) as sessions:
        session = await sessions.get_session(session_id)
        if not await sessions.delete_session(session_id):
            raise UnknownSession(session_id)
        await _sweep_voices(config, sessions)
    return f"Removed, with all that was said in it:\n{table([session])}"


async def forgotten(config: Config, user: str) -> str:
    """Remove all that was kept of a user, and give a receipt."""
    async with kept_sessions(config) as sessions:
        theirs: tuple[Session, ...] = await sessions.get_user_sessions(user)
        removed = await sessions.forget_user(user)
        await _sweep_voices(config, sessions)
        scheme, _, path = sessions.store_url.partition(":")
        return receipt(
            user,
            removed,
            still_open=sum(one.status is Status.OPEN for one in theirs),
            store=without_password(sessions.store_url),
            set_aside=set_aside_files(Path(path)) if scheme == "sqlite" else (),
            at=sessions.now(),
        )


async def _sweep_voices(config: Config, sessions: SessionService) -> None:
    """What was deleted here is deleted at the makers of voices, too; a worker does what is left."""
    if not await sessions.voices.overdue() and not (config.data_dir / CONSENTS).is_dir():
        return
    from agent.voices.sweep import sweep  # noqa: PLC0415 (a list needs no LiveKit)

    await sweep(config, sessions)
