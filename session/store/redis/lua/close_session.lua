-- Closes an open session; 1 if it was one, and was resumed as often as expected.
-- KEYS: session. ARGV: its id, reason, now, how often; an empty text for however often.

local id, reason, now, expected = take(), take(), take(), take_number()
local kept = redis.call('HMGET', KEYS[1], 'status', 'resumes', 'seen_at')
local status, resumes, seen_at = unpack(kept)
if status ~= 'open' or (expected and expected ~= tonumber(resumes)) then
  return 0
end
redis.call('HSET', KEYS[1], 'status', 'closed', 'closed_at', now, 'close_reason', reason)
-- It may have been over before its last sign of life.
show_life(id, tonumber(seen_at) > tonumber(now) and seen_at or now)
return 1
