-- Keeps a summary unless there is one of as many messages or more.
-- KEYS: session. ARGV: its id, summary, of how many messages.

local id, summary, summarised = take(), take(), take()
local kept = redis.call('HGET', KEYS[1], 'summarised')
if kept and tonumber(kept) < tonumber(summarised) then
  redis.call('HSET', KEYS[1], 'context_summary', summary, 'summarised', summarised)
  keep(id)
end
