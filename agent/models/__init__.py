"""STT, LLM and TTS by provider: what `[models]` in agent.toml chooses between."""
