"""Measures June from the caller's side; holds the scripted provider that tests use too."""
