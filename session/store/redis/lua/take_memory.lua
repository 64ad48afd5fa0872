-- Deletes a text and answers with it; nothing if there is none.
-- KEYS: memories. ARGV: user, skill, key.

local user, place = take(), place_in(take(), take())
local text = redis.call('GET', memory_at(user, place))
redis.call('DEL', memory_at(user, place))
redis.call('ZREM', KEYS[1], place)
return text
