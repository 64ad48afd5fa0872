"""How the worker is just now, for those who ask over HTTP."""

from livekit.agents import AgentServer

from agent.admission import Admission


class WorkerState:
    """Lives as long as the worker, and is there before LiveKit's part of it."""

    def __init__(self) -> None:
        self._server: AgentServer | None = None
        self._admission: Admission | None = None

    def begins(self, server: AgentServer, admission: Admission) -> None:
        self._server, self._admission = server, admission

    @property
    def is_registered(self) -> bool:
        """Whether a LiveKit server sends calls to it."""
        return self._admission is not None and self._admission.is_asked

    @property
    def is_draining(self) -> bool:
        return self._server is not None and self._server.draining

    @property
    def calls(self) -> int:
        """That run in it, or are being accepted."""
        return 0 if self._admission is None else self._admission.calls
