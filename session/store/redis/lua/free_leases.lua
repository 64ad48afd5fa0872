-- Gives back all leases of one owner; answers how many there were.
-- KEYS: rooms that are held. ARGV: owner.

local gone, count = take(), 0
each_lease(function(room, owner)
  if owner == gone then
    give_back(room)
    count = count + 1
  end
end)
return count
