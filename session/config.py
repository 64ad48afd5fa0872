"""What the memory is told: where things are kept, and what is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from session.prices import Price
from session.rules import LimitConfig


@dataclass(frozen=True)
class MoneyConfig:
    """What is known of prices, and what happens where nothing is."""

    prices: Mapping[str, Price] = field(default_factory=dict)
    """The operator's, by the model's name."""
    unpriced: Literal["allow", "deny"] | float = "allow"
    """Of a model whose price nobody knows; a number is dollars for each request."""
    alert_dollars: tuple[float, ...] = (10.0, 25.0, 40.0)
    when_store_is_down: Literal["closed", "open"] = "closed"
    """Whether a call may go on spending when its allowance is gone."""


@dataclass(frozen=True)
class SessionConfig:
    """What the memory needs to know. `store_url` empty: a SQLite file in `data_dir`."""

    data_dir: Path
    store_url: str = field(default="", repr=False)
    """It may hold a password."""
    secret_key: bytes | None = field(default=None, repr=False)
    """Keys the hashes of users; None for the key in `data_dir`, which is made at first use."""
    stands_in: bool = False
    """For a store that is away: what it says of money is not to be trusted."""
    limits: LimitConfig = field(default_factory=LimitConfig)
    money: MoneyConfig = field(default_factory=MoneyConfig)
