"""The store for several machines: Redis or Valkey."""
