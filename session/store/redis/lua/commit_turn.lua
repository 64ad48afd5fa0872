-- A turn takes effect: 1 the first time, 0 again, -1 if its session is not known.
-- KEYS: turns. ARGV: session's id, turn.

local id, turn = take(), take()
if not is_known(id) then
  return -1
end
local is_first = redis.call('SADD', KEYS[1], turn)
keep(id)
return is_first
