-- Be June in a room: the lease's fence, or nothing while another owner holds it.
-- KEYS: lease. ARGV: room, owner, seconds, now, note.

local room, owner, seconds, now = take(), take(), take_number(), take_number()
local note = take()
local held = redis.call('HMGET', KEYS[1], 'owner', 'fence', 'asked', 'expires_at', 'seconds')
if held[1] and held[1] ~= owner then
  -- No lease lasts longer than its time: otherwise the clock was set back.
  local ends_at = math.min(tonumber(held[4]), now + tonumber(held[5]))
  redis.call('HSET', KEYS[1], 'expires_at', exact(ends_at))
  if ends_at > now then
    return false
  end
end
local fence = raise_fence(tonumber(held[2] or 0)) + 1
raise_fence(fence)
hold(room, owner, fence, held[1] == owner and held[3] or '0', seconds, now, note)
return fence
