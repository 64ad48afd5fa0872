-- A sign of life of an open session; 0 for one that is not known.
-- KEYS: session. ARGV: its id, now.

local id, now = take(), take()
local status = redis.call('HGET', KEYS[1], 'status')
if status == 'open' then
  show_life(id, now)
end
return status and 1 or 0
