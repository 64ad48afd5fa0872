-- Renews a lease, or takes it again where nobody has one: whether it is held, whether its owner
-- was asked to leave, and how, and whether there was none.
-- KEYS: lease. ARGV: room, owner, fence, seconds, now, note.

local room, owner, fence = take(), take(), take_number()
local seconds, now, note = take_number(), take_number(), take()
local held = redis.call('HMGET', KEYS[1], 'owner', 'fence', 'asked')
if held[1] and (held[1] ~= owner or tonumber(held[2]) ~= fence) then
  return {0, 0, 0}
end
raise_fence(fence)
local asked = held[3] or '0'
hold(room, owner, fence, asked, seconds, now, note)
return {1, tonumber(asked), held[1] and 0 or 1}
