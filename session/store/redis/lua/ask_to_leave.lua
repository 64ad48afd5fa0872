-- Marks the leases whose owner begins so; answers how many there are.
-- KEYS: rooms that are held. ARGV: beginning.

local beginning, count = take(), 0
each_lease(function(room, owner)
  if string.sub(owner, 1, #beginning) == beginning then
    redis.call('HSET', name('lease', room), 'asked', '1')
    count = count + 1
  end
end)
return count
