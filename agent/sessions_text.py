"""Sessions as lines on a terminal: a table, a record with its transcript, a receipt."""

import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.redact import printable
from session import Message, Removed, Session
from session.money import MICROS
from session.records import ReplyTimes

COLUMNS = ("id", "room", "channel", "status", "started", "messages")

TRACES = """\
  How often they called and what that cost, as numbers under a keyed hash and without words.
  June deletes it herself within 3 days.
  The names of their rooms, for up to two hours after a call.
  Copies that are not hers: backups of the store, a Redis server's own files."""


def table(sessions: Sequence[Session]) -> str:
    rows = [
        COLUMNS,
        *(
            (
                one.session_id,
                one_line(one.room_name),
                one.channel,
                _status(one),
                utc(one.created_at),
                str(one.message_count),
            )
            for one in sessions
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def record(session: Session, reply: ReplyTimes, spent_micros: int) -> str:
    """All that is known of a session but what was said in it."""
    ended = "" if session.closed_at is None else utc(session.closed_at)
    lines = {
        "id": session.session_id,
        "room": one_line(session.room_name),
        "user": f"{session.user} (a keyed hash)",
        "channel": session.channel,
        "language": session.language,
        "status": _status(session),
        "started": utc(session.created_at),
        "last seen": utc(session.seen_at),
        "ended": ended,
        "resumed": f"{session.resumes} times" if session.resumes else "",
        "skill": session.skill.name if session.skill else "",
        "messages": str(session.message_count),
        "replies": _replies(reply),
        "spent": f"${spent_micros / MICROS:.4f}",
    }
    return "\n".join(f"{name:<11}{value}" for name, value in lines.items() if value)


def transcript(session: Session, messages: Iterable[Message]) -> str:
    """What was said; of a reply that was cut off, what the caller heard of it."""
    lines = [_said(message) for message in messages]
    if session.context_summary:
        lines.insert(0, f"in short: {one_line(session.context_summary)}\n")
    return "\n".join(lines) or "Nothing was said."


def receipt(
    user: str,
    removed: Removed,
    *,
    still_open: int,
    store: str,
    set_aside: Sequence[Path],
    at: float,
) -> str:
    """What June removed of a user, and what she did not."""
    where = f"in `{printable(store)}`, on {utc(at)}"
    parts = [
        f"June forgot `{one_line(user)}` {where}."
        if removed != Removed()
        else f"June kept nothing of `{one_line(user)}` {where}.\n"
        "A user is a participant's identity, or the `user` of a dispatch's metadata. To find one,\n"
        "June needs the settings and the `JUNE_SECRET_KEY` that the worker has.",
        "Removed:\n"
        f"  sessions        {removed.sessions}\n"
        f"  messages        {removed.messages}\n"
        f"  measured turns  {removed.turns}\n"
        f"  kept answers    {removed.answers}\n"
        f"  kept by skills  {removed.memories}\n"
        f"  voices          {removed.voices}",
        f"Not removed:\n{TRACES}",
    ]
    if still_open:
        parts.append(
            f"{still_open} of the sessions were open. If a call is still going on, June knows\n"
            "until its end what was said in it: then run this again."
        )
    if set_aside:
        removing = "\n".join(f"  rm {shlex.quote(str(path))}" for path in set_aside)
        parts.append(
            "Files of a damaged or a removed database were set aside. They may hold anybody's\n"
            f"words. When you need them no more:\n{removing}"
        )
    return "\n\n".join(parts)


def one_line(text: str) -> str:
    """Without what would drive a terminal: rooms are named, and words said, by strangers."""
    return printable(" ".join(text.split()))


def utc(at: float) -> str:
    """Unix seconds as a date and time."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(session: Session) -> str:
    return session.close_reason or session.status


def _replies(reply: ReplyTimes) -> str:
    if reply.mean_seconds is None:
        return "none was timed"
    return (
        f"mean {reply.mean_seconds:.2f} s, p50 {reply.p50_seconds:.2f} s, "
        f"p95 {reply.p95_seconds:.2f} s ({reply.turns} timed)"
    )


def _said(message: Message) -> str:
    who = "caller" if message.role == "user" else "june"
    cut = " [cut off]" if message.heard_text is not None else ""
    typed = " [typed]" if message.source == "text" else ""
    return f"{utc(message.at)}  {who:<6}  {one_line(message.said)}{cut}{typed}"
