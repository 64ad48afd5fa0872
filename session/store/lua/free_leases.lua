-- Gives back all leases of one owner; answers how many there were.
-- ARGV: owner.

local gone, count = take(), 0
each_lease(function(key, owner)
  if owner == gone then
    redis.call('DEL', key)
    count = count + 1
  end
end)
return count
