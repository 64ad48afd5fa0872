"""The settings of limits and money: how often a caller may speak, and what June may spend."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from agent.settings_types import Section, WebhookUrl

MOST_DOLLARS = 1_000_000_000

LEAST_DOLLARS = 0.000_001
"""June counts in millionths of a dollar; less would be rounded to none."""


def _not_rounded_to_none(dollars: float) -> float:
    if 0 < dollars < LEAST_DOLLARS:
        raise ValueError
    return dollars


Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
Tokens = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
Dollars = Annotated[
    float,
    Field(
        ge=0,
        le=MOST_DOLLARS,
        allow_inf_nan=False,
        json_schema_extra={"rule": f"dollars from 0.000001 to {MOST_DOLLARS}, or 0"},
    ),
    AfterValidator(_not_rounded_to_none),
]
Threshold = Annotated[float, Field(ge=0.01, le=MOST_DOLLARS, allow_inf_nan=False)]


class PerRequest(Section):
    """What a request to a model is taken to cost whose price nobody knows."""

    per_request: Dollars


class LimitSettings(Section):
    max_input_characters: int = Field(
        2_000, ge=1, le=100_000, description="Longer input is answered with a sentence, not a model"
    )
    turns_per_minute: Count = Field(
        20, description="Turns of one user that are answered within a minute; 0 for no limit"
    )
    turns_per_hour: Count = Field(200, description="And within an hour; 0 for no limit")
    calls_per_hour: Count = Field(
        30, description="Calls of one user within an hour; 0 for no limit"
    )
    session_turns_per_hour: Count = Field(
        0, description="Turns in one session within an hour; 0 for no limit"
    )
    fleet_turns_per_minute: Count = Field(
        0, description="Turns of all calls together within a minute; 0 for no limit"
    )
    dollars_per_day: Dollars = Field(
        50.0, description="What all calls together may spend until midnight UTC; 0 for no limit"
    )
    requests_per_day: Count = Field(
        20_000, description="Their requests to hosted models until then; 0 for no limit"
    )
    tokens_per_day: Tokens = Field(
        10_000_000, description="Their tokens until then; 0 for no limit"
    )
    dollars_per_user_and_day: Dollars = Field(
        0.0, description="What one user may spend until midnight UTC; 0 for no limit"
    )
    dollars_per_session: Dollars = Field(
        0.0, description="What one session may spend; 0 for no limit"
    )
    alert_dollars: list[Threshold] = Field(
        [10.0, 25.0, 40.0],
        max_length=20,
        description="You are told when a day has cost so much; also at 80 % of each daily limit",
        json_schema_extra={"rule": "a list of at most 20 amounts in dollars, such as `[10, 25]`"},
    )
    alert_webhook: WebhookUrl = Field(
        "", description="Where alerts are also sent, signed with JUNE_WEBHOOK_SECRET"
    )
    unpriced: Literal["allow", "deny"] | PerRequest = Field(
        "allow",
        description="Hosted models without a known price: `allow` counts no dollars, "
        "else `deny` or {per_request = 0.01}",
        json_schema_extra={"rule": "`allow`, `deny` or a price such as `{per_request = 0.01}`"},
    )
    when_store_is_down: Literal["closed", "open"] = Field(
        "closed",
        description="`open` lets a call spend on when its allowance for such a time is used up",
    )
