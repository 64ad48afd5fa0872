"""Talk to June without LiveKit: the same call, the same gate, and a terminal instead of a room."""
