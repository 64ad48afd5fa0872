"""`./june console`: a call by microphone and loudspeaker."""

import asyncio
import sys

from agent.config import Config
from agent.console.details import show_details
from agent.console.ears import Ears
from agent.console.first import first_of
from agent.console.heard import Heard
from agent.console.here import Ends, call_here
from agent.console.levels import Deafness, Meter
from agent.console.mouth import Mouth
from agent.console.portaudio import Streams, find_line, load_portaudio
from agent.console.printed import Printed
from agent.console.progress import progress
from agent.console.terminal import forgive_odd_characters
from agent.console.way import Way
from agent.errors import CannotStart


async def talk_by_microphone(config: Config, way: Way, *, verbose: bool) -> int:
    """Until June hangs up, or Ctrl-C; the exit code."""
    forgive_odd_characters()
    portaudio = await asyncio.to_thread(load_portaudio)
    microphone = find_line(portaudio, "input", way.input_device)
    loudspeaker = find_line(portaudio, "output", way.output_device)
    loop = asyncio.get_running_loop()
    ears, mouth = Ears(), Mouth()
    meter, deafness = Meter(sys.stderr), Deafness()
    printed = Printed(sys.stdout, make_way=meter.clear)
    gone = asyncio.Event()

    def hear(pcm: bytes) -> None:
        ears.push(pcm)
        if not printed.is_in_line:
            meter.show(pcm)
        if deafness.is_found_in(pcm):
            printed.note("nothing at all comes from the microphone: is it muted?")

    async with call_here(config, Ends(words=printed, ears=ears, mouth=mouth)) as here:
        Heard(here.call, printed)
        if verbose:
            show_details(here.call, printed)
        progress(f"hearing by `{microphone.name}`, speaking by `{loudspeaker.name}`")
        progress("use headphones: nothing here cancels echo, so June would hear herself")
        progress("say `goodbye`, or press Ctrl-C, to hang up")
        await here.begin()
        with Streams(
            microphone,
            loudspeaker,
            heard=lambda pcm: loop.call_soon_threadsafe(hear, pcm),
            said=mouth.pull,
            gone=lambda: loop.call_soon_threadsafe(gone.set),
        ):
            await first_of(here.over.wait(), gone.wait())
        meter.clear()
        printed.flush()
        if not here.over.is_set():
            raise CannotStart(
                "the microphone or the loudspeaker went away during the call\n"
                "hint: `./june console --list-devices` shows what there is"
            )
    printed.check()
    return here.exit_code
