-- Keeps a text; 0 if it is one more than are kept.
-- KEYS: memories. ARGV: user, skill, key, text, how many are kept.

local user, skill, key, text, most = take(), take(), take(), take(), take_number()
local place = place_in(skill, key)
collect_places(user)
if not redis.call('ZSCORE', KEYS[1], place) then
  if redis.call('ZLEXCOUNT', KEYS[1], range_of(skill)) >= most then
    return 0
  end
end
redis.call('SET', memory_at(user, place), text)
keep_for(memory_at(user, place), MEMORY)
redis.call('ZADD', KEYS[1], 0, place)
keep_for(KEYS[1], MEMORY)
return 1
