-- The newest open session of a room, else its newest, as its fields; none if there is none.
-- KEYS: room.

local newest = false
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local status = redis.call('HGET', name('session', id), 'status')
  if status == 'open' then
    return redis.call('HGETALL', name('session', id))
  end
  newest = newest or (status and id)
end
return newest and redis.call('HGETALL', name('session', newest))
