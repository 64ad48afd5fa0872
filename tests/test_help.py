"""The help: being written by the helper for the built-in abilities."""
