-- Asks whoever holds a room to leave; answers whether somebody does.
-- KEYS: lease. ARGV: how they are asked, now.

local asked, now = take(), take_number()
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner or owner == '' or not lasts(KEYS[1], now) then
  return 0
end
redis.call('HSET', KEYS[1], 'asked', asked)
return 1
