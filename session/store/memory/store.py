"""A store in this process's memory, for the console, for tests, and for a call without its store.

It keeps every promise of `Store` within one process, and forgets all at the end.
"""

from session.store.memory.breakers import MemoryBreakers
from session.store.memory.claims import MemoryClaims, MemoryLeases
from session.store.memory.ledger import MemoryLedger
from session.store.memory.limits import MemoryLimits
from session.store.memory.memories import MemoryMemories
from session.store.memory.sessions import MemorySessions


class MemoryStore:
    """No method awaits anything, so each is atomic on its event loop."""

    skew_seconds = 0.0

    def __init__(self) -> None:
        self.claims = MemoryClaims()
        self.leases = MemoryLeases()
        self.ledger = MemoryLedger()
        self.limits = MemoryLimits(self.ledger)
        self.memories = MemoryMemories()
        self.breakers = MemoryBreakers()
        self.sessions = MemorySessions(
            self.claims,
            self.ledger,
            self.memories,
            collect=(
                self.claims.purge,
                self.leases.purge,
                self.limits.purge,
                self.ledger.purge,
                self.memories.purge,
                self.breakers.purge,
            ),
        )

    async def aclose(self) -> None:
        """Nothing is held."""
