-- The session of a room that showed life last, as its fields; none if there is none.
-- KEYS: room.

-- The index is by creation, so all of them are looked at, but one alone is read as a whole.
local last, last_seen, last_open = false, 0, false
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
  local kept = redis.call('HMGET', name('session', id), 'seen_at', 'status')
  local seen, open = tonumber(kept[1]), kept[2] == 'open'
  -- Nil where Redis has collected the session. Of equal ones the first was created last.
  if seen and (not last or seen > last_seen or (seen == last_seen and open and not last_open)) then
    last, last_seen, last_open = id, seen, open
  end
end
return last and redis.call('HGETALL', name('session', last))
