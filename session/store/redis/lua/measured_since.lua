-- The figures of the newest turns of all sessions, newest first.
-- KEYS: turns by their time. ARGV: time, how many at most.

local at, limit = take(), take()
local found = {}
for _, one in ipairs(redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', at, 'LIMIT', 0, limit)) do
  local id, turn = string.match(one, '^(.*) (%S+)$')
  local figures = redis.call('HGET', name('measured', id), turn)
  if figures then
    found[#found + 1] = figures
  end
end
return found
