"""Sound as skills pass it on: they neither record nor play it."""

from dataclasses import dataclass

BYTES_A_SAMPLE = 2


@dataclass(frozen=True, repr=False)
class Sound:
    """One voice, without a header. In memory only: it is never written anywhere."""

    pcm: bytes
    """16-bit little-endian samples of one channel."""
    sample_rate: int
    """In Hz."""

    @property
    def seconds(self) -> float:
        return len(self.pcm) / BYTES_A_SAMPLE / self.sample_rate
