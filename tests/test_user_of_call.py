"""Whom a call belongs to: by the operator's rule, and never by what a caller may change later."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.user_of_call import user_of_call

PHONE = {"sip.phoneNumber": "+491234567"}


def user(
    rule: str,
    attributes: Mapping[str, str] | None = None,
    *,
    declared: str | None = None,
    is_sip: bool = False,
) -> str:
    return user_of_call(
        rule, declared=declared, identity="ann", attributes=attributes or {}, is_sip=is_sip
    )


@pytest.mark.parametrize(
    ("rule", "attributes", "is_sip", "expected"),
    [
        ("identity", {"account": "4711"}, False, "ann"),
        ("sip", PHONE, True, "+491234567"),
        ("attribute:account", {"account": "4711"}, False, "4711"),
        ("attribute:account", {"account": "4711"}, True, "4711"),
        ("attribute:a:b", {"a:b": "4711"}, False, "4711"),
    ],
)
def test_the_rule_says_who_it_is(
    rule: str, attributes: Mapping[str, str], is_sip: bool, expected: str
) -> None:
    """Without a word in the log."""
    with capture_logs() as logs:
        assert user(rule, attributes, is_sip=is_sip) == expected
    assert logs == []


@pytest.mark.parametrize("rule", ["identity", "sip", "attribute:account"])
def test_what_the_dispatch_declares_goes_before_the_rule(rule: str) -> None:
    """It comes from the operator's own server."""
    assert user(rule, {**PHONE, "account": "4711"}, declared="crm-1", is_sip=True) == "crm-1"


@pytest.mark.parametrize(
    ("rule", "attributes", "is_sip", "why"),
    [
        ("sip", {}, True, "absent"),
        ("sip", PHONE, False, "absent"),
        ("attribute:account", {"other": "4711"}, False, "absent"),
        ("attribute:account", {"account": ""}, False, "absent"),
        ("attribute:account", {"account": " \n"}, False, "absent"),
        ("attribute:account", {"account": "4711" * 100}, False, "too long"),
    ],
)
def test_whom_the_rule_does_not_know_is_known_by_identity(
    rule: str, attributes: Mapping[str, str], is_sip: bool, why: str
) -> None:
    """A telephone's number counts on a telephone only; the log tells the rule and no value."""
    with capture_logs() as logs:
        assert user(rule, attributes, is_sip=is_sip) == "ann"
    assert logs == [
        {"event": "user.by_identity", "log_level": "info", "rule": rule, "why": why},
    ]


@given(rule=st.text(max_size=20), attributes=st.dictionaries(st.text(), st.text()))
def test_there_is_always_a_user(rule: str, attributes: dict[str, str]) -> None:
    """Whatever somebody's token holds."""
    assert user(rule, attributes, is_sip=True)
