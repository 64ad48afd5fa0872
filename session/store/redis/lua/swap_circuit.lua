-- Keeps what became of a circuit if it still is what that was made of; else answers with what it is.
-- KEYS: circuit, names of all. ARGV: its name, what it was or '', what it became, for how many
-- seconds.

local circuit, before, after, seconds = take(), take(), take(), take_number()
local found = redis.call('GET', KEYS[1]) or ''
if found ~= before then
  return found
end
redis.call('SET', KEYS[1], after)
keep_for(KEYS[1], seconds)
redis.call('SADD', KEYS[2], circuit)
keep_for(KEYS[2], LONG)
return false
