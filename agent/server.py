"""June for LiveKit's own tools, which look for a global called `server` in a file:

    python -m livekit.agents start agent/server.py
    lk agent console --entrypoint agent/server.py

It is the same June, in the same job code. What it lacks are the things that `./june start` keeps
around her: June's log format, the model process that calls share (each job loads its own models),
the cache of spoken lines being filled at start, the lease of a room being claimed before a job is
taken, and the HTTP side.
"""

from functools import partial

from agent import job
from agent.config import load
from agent.worker import build_server

_config = load()

server = build_server(_config)
server.rtc_session(
    partial(job.answer, config=_config, worker_key="livekit-tools"),
    agent_name=_config.agent.name,
    on_session_end=job.end,
)
