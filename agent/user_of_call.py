"""Whom a call's memory and limits belong to, as `[call] user` says."""

from collections.abc import Mapping

import structlog

from agent.metadata import LONGEST_FIELD

log = structlog.get_logger(__name__)

SIP_NUMBER = "sip.phoneNumber"
"""Set by LiveKit's SIP service for whoever it brings into a room."""

ATTRIBUTE = "attribute:"


def user_of_call(
    rule: str,
    *,
    declared: str | None,
    identity: str,
    attributes: Mapping[str, str],
    is_sip: bool,
) -> str:
    """The user by `rule`: `identity`, `sip`, or `attribute:` and a name.

    `declared` by the dispatch goes before all. Who cannot be known by the rule, as a browser by its
    telephone number, is known by their identity; the log names the rule, and never a value.

    Ask once, at the start of a call: a participant whose token allows `can_update_own_metadata`,
    which June's never do, may change their attributes later, and must not become somebody else.
    """
    if declared is not None:
        return declared
    if rule == "identity":
        return identity
    if rule == "sip":
        # A browser's token could hold an attribute of this name; a telephone's is the network's.
        user = attributes.get(SIP_NUMBER, "") if is_sip else ""
    else:
        user = attributes.get(rule.removeprefix(ATTRIBUTE), "")
    if user.strip() and len(user) <= LONGEST_FIELD:
        return user
    why = "too long" if user.strip() else "absent"
    log.info("user.by_identity", rule=rule, why=why)
    return identity
