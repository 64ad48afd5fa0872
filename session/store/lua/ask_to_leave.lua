-- Marks the leases whose owner begins so; answers how many there are.
-- ARGV: beginning.

local beginning, count = take(), 0
each_lease(function(key, owner)
  if string.sub(owner, 1, #beginning) == beginning then
    redis.call('HSET', key, 'asked', '1')
    count = count + 1
  end
end)
return count
