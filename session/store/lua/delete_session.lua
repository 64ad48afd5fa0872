-- Deletes a session with everything of it; answers what was removed.
-- ARGV: its id.

forget(take())
return counts()
