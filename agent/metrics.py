"""What June counts about herself. No label ever names a room, a user or a session.

LiveKit's worker serves it at `/metrics`; with `PROMETHEUS_MULTIPROC_DIR` set before Python starts,
over all its processes.
"""

from prometheus_client import Counter

BUDGET_ALERTS = Counter(
    "june_budget_alerts", "Budget thresholds that were crossed, once per day.", ["threshold"]
)
