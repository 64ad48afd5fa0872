-- Marks the leases whose owner begins so; answers how many there are.
-- KEYS: rooms that are held. ARGV: beginning.

local beginning, count = take(), 0
each_lease(function(room, owner)
  if string.sub(owner, 1, #beginning) == beginning then
    local key = name('lease', room)
    local asked = math.max(1, tonumber(redis.call('HGET', key, 'asked') or 0))
    redis.call('HSET', key, 'asked', exact(asked))
    count = count + 1
  end
end)
return count
