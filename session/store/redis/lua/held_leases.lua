-- The rooms whose lease lasts.
-- KEYS: rooms that are held. ARGV: now.

local now, rooms = take_number(), {}
each_lease(function(room)
  local key = name('lease', room)
  local held = redis.call('HMGET', key, 'expires_at', 'seconds')
  -- No lease lasts longer than its time: otherwise the clock was set back.
  local ends_at = math.min(tonumber(held[1]), now + tonumber(held[2]))
  redis.call('HSET', key, 'expires_at', exact(ends_at))
  if ends_at > now then
    rooms[#rooms + 1] = room
  end
end)
return rooms
