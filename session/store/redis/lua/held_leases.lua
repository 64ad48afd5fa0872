-- The leases that last: room, owner and note of each.
-- KEYS: rooms that are held. ARGV: now.

local now, found = take_number(), {}
each_lease(function(room, owner)
  local key = name('lease', room)
  if lasts(key, now) then
    found[#found + 1] = {room, owner, redis.call('HGET', key, 'note') or ''}
  end
end)
return found
