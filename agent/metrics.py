"""What June counts about herself. No label ever names a room, a user or a session.

Calls are processes of their own: what they count is seen by others only where
`PROMETHEUS_MULTIPROC_DIR` is set before Python starts, as it is in the image.
"""

from prometheus_client import Counter

BUDGET_ALERTS = Counter(
    "june_budget_alerts", "Budget thresholds that were crossed, once per day.", ["threshold"]
)
STAGE_FAILURES = Counter(
    "june_stage_failures",
    "Turns in which ears, voice or voice detection failed, and the caller was told so.",
    ["stage"],
)
REDISPATCHES = Counter(
    "june_redispatches", "How often June was sent into a room again, by reason.", ["why"]
)
ROOMS_GIVEN_UP = Counter("june_rooms_given_up", "Rooms in which June died three times in a minute.")
