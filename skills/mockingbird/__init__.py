"""Mockingbird: June speaks in the caller's voice, with consent, and gives it back."""
