"""Figures over sessions, as every store gives them."""

from collections import Counter
from collections.abc import Iterable

from session.records import ReplyTimes, Session, SessionStats, Status


def stats_of(sessions: Iterable[Session], *, created: int, reply: ReplyTimes) -> SessionStats:
    """`created`: how many there ever were."""
    kept = messages = 0
    active: list[Session] = []
    for session in sessions:
        kept += 1
        messages += session.message_count
        if session.status is Status.OPEN:
            active.append(session)
    skills = Counter(session.skill.name for session in active if session.skill is not None)
    return SessionStats(
        active_sessions=len(active),
        active_rooms=len({session.room_name for session in active}),
        total_created=created,
        messages=messages,
        mean_messages_per_session=messages / max(1, kept),
        active_skills=skills.total(),
        skills_in_use=dict(sorted(skills.items())),
        reply=reply,
    )
