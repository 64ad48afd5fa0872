"""`./june console --wav question.wav`: a caller who is a recording, answered in another one."""

import asyncio
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

from livekit.agents.voice import SpeechHandle

from agent.config import STAGES, Config
from agent.console.clockwork import Clockwork
from agent.console.details import show_details
from agent.console.ears import Ears
from agent.console.first import first_of
from agent.console.heard import Heard
from agent.console.here import Ends, HereCall, call_here
from agent.console.mouth import Mouth
from agent.console.pcm import seconds
from agent.console.printed import Printed
from agent.console.progress import progress
from agent.console.recording import Recording
from agent.console.reel import Finished, Happening, Reel
from agent.console.silence import Silence
from agent.console.sound_file import read_sound
from agent.console.terminal import forgive_odd_characters


class Recorded:
    """A caller who says one thing, when told to."""

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm
        self._reel = Reel(self._on)
        self._said = asyncio.Event()

    def pull(self, samples: int) -> bytes:
        return self._reel.pull(samples)

    async def say(self) -> None:
        """Until it is said."""
        self._reel.add(self._pcm)
        self._reel.close()
        await self._said.wait()

    def _on(self, happening: Happening) -> None:
        if isinstance(happening, Finished):
            self._said.set()


async def talk_by_wav(
    config: Config,
    wav: Path,
    out: Path | None = None,
    *,
    seed: int | None = None,
    is_fast: bool,
    verbose: bool,
) -> int:
    """One call: June greets, `wav` is played to her, she answers; the exit code.

    `is_fast` says that this runs on a hurried clock, which is not what a caller waits by.
    """
    forgive_odd_characters()
    began = time.monotonic()
    if is_fast:
        _say_what_fast_changes(config, verbose=verbose)
    pcm = await asyncio.to_thread(read_sound, wav)
    recording = Recording(out) if out else None
    caller, ears, mouth = Recorded(pcm), Ears(), Mouth()
    card = Clockwork(
        caller=caller.pull,
        ears=ears.push,
        june=mouth.pull,
        listener=recording.write if recording else lambda _: None,
    )

    def sum_up() -> None:
        if card.seconds():
            kept = f"; June's voice is in `{out}`" if out else ""
            took = time.monotonic() - began
            progress(f"a call of {card.seconds():.1f} s, in {took:.1f} s{kept}")

    with ExitStack() as stack:
        # Also when the call is interrupted, and after the file is written.
        stack.callback(sum_up)
        if recording:
            stack.enter_context(recording)
        printed = Printed(sys.stdout, card.seconds)
        stack.callback(printed.flush)
        ends = Ends(words=printed, ears=ears, mouth=mouth)
        # For what is chosen by chance in a call with oneself, of which nothing is kept.
        chance = None if seed is None else Random(seed)  # noqa: S311
        async with call_here(config, ends, chance=chance) as here:
            heard = Heard(here.call, printed)
            if verbose:
                show_details(here.call, printed, with_timings=not is_fast)
            progress(f"playing `{wav}` ({seconds(pcm):.1f} s) after the greeting")
            greeting = await here.begin()
            # Only now, as starting the voice may take a second in which no sound can flow.
            await first_of(card.run(), here.over.wait(), _speak(here, caller, greeting))
        if not heard.lines:
            printed.note(f"June heard no words in `{wav}`")
    printed.check()
    return here.exit_code


def _say_what_fast_changes(config: Config, *, verbose: bool) -> None:
    if verbose:
        progress("no timings are shown: with `--fast` they are not what a caller waits")
    if hosted := [stage for stage in STAGES if config.provider_of(stage) != "local"]:
        progress(f"with `--fast` a hosted provider seems slow to June ({', '.join(hosted)})")


async def _speak(here: HereCall, caller: Recorded, greeting: SpeechHandle | None) -> None:
    if greeting is None:  # June does not take the call, and says so
        await here.over.wait()
        return
    await greeting.wait_for_playout()
    silence = Silence(here.call.voice)
    await caller.say()
    await silence.wait()
    await here.hang_up()
