-- Closes the breaker; 1 if it was open.
-- KEYS: breaker. ARGV: now.

local now, ends_at = take_number(), redis.call('HGET', KEYS[1], 'until')
redis.call('DEL', KEYS[1])
return ends_at and tonumber(ends_at) > now and 1 or 0
