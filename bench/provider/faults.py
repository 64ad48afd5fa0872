"""What can go wrong with one answer, by script.

* before any answer: `Refusal`, `WrongAnswer`, `Hang()`, `BreakOff()`
* in the middle of one: `Hang`, `BreakOff`, `ErrorEvent` and `Garbage`, after so many chunks of a
  stream (a token, or 0.1 s of sound), or after so many seconds of sound heard by a realtime
  connection
* an answer that says nothing: `Empty`, `Silence`, `NoFinal`
* one that says it in the wrong way: `FinalTwice`, `OddBytes`, `WrongRate`
* one that is not true: `Lie`
"""

from dataclasses import dataclass

from bench.provider.refusals import Refusal

HTML_PAGE = "<!doctype html><html><title>Welcome</title><body><h1>It works!</h1></body></html>\n"


@dataclass(frozen=True)
class Hang:
    """Says nothing more, and keeps the connection open until the client leaves.

    `Hang()` never answers at all; on the realtime path it leaves the upgrade unanswered.
    `Hang(after_seconds=0)` begins, and then never says a word: of a stream the client gets the
    headers, and a realtime connection is accepted.
    """

    after_chunks: int = 0
    after_seconds: float | None = None


@dataclass(frozen=True)
class BreakOff:
    """Closes the connection, without the end that the protocol asks for.

    `BreakOff()` closes it before any answer; on the realtime path before the upgrade is answered.
    `BreakOff(after_seconds=0)` closes it as soon as the answer has begun. An upgrade that breaks is
    tried once more by aiohttp's client, unseen by who uses it: script two of them to break it.
    """

    after_chunks: int = 0
    after_seconds: float | None = None


@dataclass(frozen=True)
class ErrorEvent:
    """An error told inside a stream that had begun, or on the realtime connection, which stays."""

    message: str = "The server had an error while processing your request. Sorry about that!"
    type: str = "server_error"
    code: str | None = None
    after_chunks: int = 0
    after_seconds: float = 0.0


@dataclass(frozen=True)
class Garbage:
    """Something that is no JSON inside a stream that had begun, and then its end.

    A realtime connection stays, and says nothing else from then on. In bare sound it is bytes.
    """

    text: str = '{"id": "'
    after_chunks: int = 0
    after_seconds: float = 0.0


@dataclass(frozen=True)
class WrongAnswer:
    """Something that is no answer: by default a web page, with status 200."""

    body: str = HTML_PAGE
    content_type: str = "text/html"
    status: int = 200


@dataclass(frozen=True)
class Empty:
    """An answer in good order, without a word or a sound in it."""


@dataclass(frozen=True)
class Silence:
    """Sound, all of it silent."""

    seconds: float = 1.0


@dataclass(frozen=True)
class NoFinal:
    """Words come as far as `interims` has them, and never the final ones. On the realtime path."""


@dataclass(frozen=True)
class FinalTwice:
    """The final words of an utterance are sent, and sent again. On the realtime path."""


@dataclass(frozen=True)
class OddBytes:
    """Sound in chunks that end in the middle of a sample, as its end does."""


@dataclass(frozen=True)
class WrongRate:
    """Sound at another rate than OpenAI's; a wav's header says nothing of it."""

    sample_rate: int = 16_000


@dataclass(frozen=True)
class Lie:
    """Says that it did what it was asked, and did not."""


Interrupting = Hang | BreakOff | ErrorEvent | Garbage
"""What takes effect in the middle of an answer."""

AnswerFault = Refusal | WrongAnswer | Interrupting | Empty
HearingFault = Refusal | WrongAnswer | Interrupting | Empty | NoFinal | FinalTwice
SpeakingFault = Refusal | WrongAnswer | Interrupting | Empty | Silence | OddBytes | WrongRate
KeepingFault = Refusal | WrongAnswer | Interrupting | Lie
Fault = AnswerFault | HearingFault | SpeakingFault | KeepingFault
