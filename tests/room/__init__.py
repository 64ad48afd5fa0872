"""Calls in a real LiveKit server: real audio, real processes, no fake in the path."""
