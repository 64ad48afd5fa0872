-- Keeps a message once: 1 the first time, 0 again, -1 if its session is not known.
-- KEYS: session, messages, message ids. ARGV: session's id, message's id, message, now.

local id, message_id, message, now = take(), take(), take(), take()
local places = places_of(id)
if not places then
  return -1
end
if redis.call('SADD', KEYS[3], message_id) == 0 then
  return 0
end
local index = redis.call('RPUSH', KEYS[2], message) - 1
local last = redis.call('ZRANGE', places.said, -1, -1, 'WITHSCORES')
redis.call('ZADD', places.said, exact((tonumber(last[2]) or 0) + 1), id .. ' ' .. index)
redis.call('HINCRBY', KEYS[1], 'message_count', 1)
show_life(id, now)
return 1
