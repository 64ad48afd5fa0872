-- Leaves a result for those who come later, if somebody claims it.
-- KEYS: claim. ARGV: result, seconds, now.

local result, seconds, now = take(), take_number(), take_number()
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'result', result, 'expires_at', exact(now + seconds))
  keep_for(KEYS[1], seconds + HOUR)
end
