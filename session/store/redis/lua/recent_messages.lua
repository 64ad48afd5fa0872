-- The last messages of a user, from whichever session, oldest first.
-- KEYS: said. ARGV: how many.

local found = {}
for _, place in ipairs(redis.call('ZRANGE', KEYS[1], exact(-ARGV[1]), -1)) do
  local id, index = string.match(place, '^(.*) (%d+)$')
  local message = redis.call('LINDEX', name('messages', id), index)
  if message then
    table.insert(found, message)
  end
end
return found
