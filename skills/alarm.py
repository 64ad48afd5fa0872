"""An alarm of a user's."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Alarm:
    """Something to be said at a time: in the call, or at the user's next one."""

    key: str
    """An alarm of the same key takes the place of the earlier one."""
    due_at: datetime
    """With its time zone."""
    name: str
    """For the skill's own use; may be empty."""
    text: str
    """What June says when it rings."""
