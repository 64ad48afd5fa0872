"""Who makes a voice of a sample. `docs/voice-cloner.md` shows how to write another one."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from skills.sound import Sound


class CloneFailed(Exception):
    """The cloner could not do it. Its text is for the log: no word of a caller's, no secret."""


class Cloner(Protocol):
    """Lives as long as one call, or one clean-up. Every method may raise `CloneFailed`.

    Nothing of it decides who may be cloned: consent and speaker were checked before.
    """

    @property
    def provider(self) -> str:
        """As `[prices]` names it; `local` costs nothing."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def sample_rate(self) -> int:
        """Of what `speak` gives, in Hz."""
        ...

    @property
    def phrases(self) -> Sequence[str]:
        """Sentences that the provider demands of the caller, word for word; most demand none."""
        ...

    async def clone(self, name: str, sample: Sound, phrases: Sequence[Sound]) -> str:
        """Make a voice, known as `name`, of 4 to 15 s of speech.

        `phrases` are the recordings of the property's. What is returned is all that `speak` needs,
        at most 3,000 characters; it is kept until the voice is deleted.
        """
        ...

    def speak(self, clone: str, text: str) -> AsyncIterator[bytes]:
        """One sentence in that voice, as it becomes ready: 16-bit samples of one channel."""
        ...

    async def delete(self, name: str) -> None:
        """Delete all that was made under this name, also of a `clone` that was cut off half way.

        Returns once it was looked that nothing is left; there being nothing is no error.
        """
        ...

    async def aclose(self) -> None: ...
