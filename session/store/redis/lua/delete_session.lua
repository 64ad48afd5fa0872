-- Deletes a session with everything of it; answers what was removed.
-- KEYS: session. ARGV: its id.

forget(take())
return counts()
