-- Gives back a lease that is still this one.
-- KEYS: lease, leases. ARGV: room, owner, fence.

local room, owner, fence = take(), take(), take_number()
local held = redis.call('HMGET', KEYS[1], 'owner', 'fence')
if held[1] == owner and tonumber(held[2]) == fence then
  redis.call('DEL', KEYS[1])
  redis.call('SREM', KEYS[2], room)
end
