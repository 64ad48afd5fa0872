-- Closes an open session; 1 if it was one.
-- KEYS: session. ARGV: its id, reason, now.

local id, reason, now = take(), take(), take()
if redis.call('HGET', KEYS[1], 'status') ~= 'open' then
  return 0
end
redis.call('HSET', KEYS[1], 'status', 'closed', 'closed_at', now, 'close_reason', reason)
show_life(id, now)
return 1
