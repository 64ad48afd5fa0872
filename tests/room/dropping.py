"""A caller in a process of its own, to be killed: says its words after a line on standard input.

python dropping.py WORDS <<< URL TOKEN
"""

import asyncio
import sys

from livekit import rtc

from room.microphone import Microphone
from room.voices import synthetic


async def main(words: str) -> None:
    url, token = sys.stdin.readline().split()
    room = rtc.Room()
    await room.connect(url, token)
    microphone = await Microphone.of(room)
    print("joined", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await microphone.play(await synthetic(words, "rms"))
    print("said", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
