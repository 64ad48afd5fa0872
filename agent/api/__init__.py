"""The HTTP side of June, in the parent process: health, tokens, sessions, security, metrics."""
