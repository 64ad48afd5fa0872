"""The voice: everything that knows LiveKit, and nothing else does."""
