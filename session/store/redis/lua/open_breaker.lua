-- Opens the breaker unless it is open for longer.
-- KEYS: breaker. ARGV: until when, reason, now.

local ends_at, reason, now = take(), take(), take()
trip(ends_at, reason, now)
