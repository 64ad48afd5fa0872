-- All circuits; forgets the names of those that Redis has collected.
-- KEYS: names of all.

local found = {}
for _, circuit in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local kept = redis.call('GET', name('circuit', circuit))
  if kept then
    table.insert(found, kept)
  else
    redis.call('SREM', KEYS[1], circuit)
  end
end
return found
