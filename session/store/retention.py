"""How long the stores keep what is over, Redis by `lua/parts` itself; and how much they keep."""

KEPT_SECONDS = 172_800.0
"""Accounts that nobody uses, and reservations and blocks that are over."""

HITS_KEPT_SECONDS = 86_400.0
"""No window is longer."""

CIRCUITS_KEPT_SECONDS = 86_400.0
"""Since they last changed, or since they were open."""

LEASES_KEPT_SECONDS = 3_600.0
"""So long nobody who has lost a room or given it back takes it again by renewing.

Not longer: a room's name may be a person's.
"""

MOST_LATELY = 1_000
"""Turns that are found by their time; all are found by their session."""

MEMORY_SECONDS = 31_536_000.0
"""What a skill keeps of a user, since it was last written: a year."""

MOST_KEYS = 100
"""Texts that one skill keeps of one user."""
