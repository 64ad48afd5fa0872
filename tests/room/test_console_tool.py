"""`lk agent console` drives the same June: its protocol, spoken from the other end."""

import asyncio
import os
import signal
import struct
from pathlib import Path

from livekit.protocol.agent_pb.agent_session import AgentSessionMessage, SessionRequest

from room.worker import ROOT, Worker


class Console:
    """What LiveKit's Go program is to an agent: the TCP server that it connects to.

    A frame is four bytes of length, then the message. Sound counts as played when it is flushed.
    """

    def __init__(self) -> None:
        self.said: list[str] = []
        self.connected = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.connected.set()
        try:
            while True:
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                message = AgentSessionMessage.FromString(await reader.readexactly(length))
                if message.HasField("audio_playback_flush"):
                    finished = AgentSessionMessage()
                    finished.audio_playback_finished.SetInParent()
                    self.send(finished)
                elif not message.HasField("audio_output"):
                    self.said.append(str(message))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def send(self, message: AgentSessionMessage) -> None:
        assert self._writer is not None
        data = message.SerializeToString()
        self._writer.write(struct.pack(">I", len(data)) + data)

    def type(self, text: str) -> None:
        request = SessionRequest(request_id="1")
        request.run_input.text = text
        self.send(AgentSessionMessage(request=request))


async def test_a_typed_question_is_answered_in_livekits_console(tmp_path: Path) -> None:
    """With no server, no key and no room."""
    console = Console()
    listening = await asyncio.start_server(console.talk, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    command = ("livekit.agents", "console", str(ROOT / "agent" / "server.py"))
    no_server = dict.fromkeys(("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"), "")
    address = f"127.0.0.1:{port}"
    async with Worker(tmp_path, no_server, *command, "--connect-addr", address) as june:
        async with asyncio.timeout(60):
            await console.connected.wait()
            while not any("AS_LISTENING" in message for message in console.said):
                assert june.process.returncode is None, june.log + june.printed
                await asyncio.sleep(0.1)
            console.type("What is your name?")
            while not any("computer program" in message for message in console.said):
                assert june.process.returncode is None, june.log + june.printed
                await asyncio.sleep(0.1)
        # Told to end, LiveKit's console waits in vain for the thread that it runs June in.
        os.killpg(june.process.pid, signal.SIGKILL)
        await june.process.wait()
    listening.close()
    await listening.wait_closed()
