-- Gives back a lease that is still this one.
-- KEYS: lease. ARGV: room, owner, fence.

local room, owner, fence = take(), take(), take_number()
local held = redis.call('HMGET', KEYS[1], 'owner', 'fence')
-- Of this owner: the fences of a store that was emptied begin anew, and some come twice.
if held[1] == owner and tonumber(held[2]) == fence then
  give_back(room)
end
