"""Speech without a key or a network: Moonshine hears, Piper speaks."""
