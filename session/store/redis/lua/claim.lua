-- Be the first to do something: 1, or 0 and what the first one left.
-- KEYS: claim. ARGV: its name, seconds, now, session's id or ''.

local claimed, seconds, now, session_id = take(), take_number(), take_number(), take()
local ends_at, result = unpack(redis.call('HMGET', KEYS[1], 'expires_at', 'result'))
if not ends_at or tonumber(ends_at) <= now then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'expires_at', exact(now + seconds), 'session_id', session_id)
  keep_for(KEYS[1], seconds + HOUR)
  if session_id ~= '' then
    redis.call('SADD', name('claims_of', session_id), claimed)
    keep_for(name('claims_of', session_id), LIFE)
  end
  return {1}
end
-- It would last longer than any claim does: the clock was set back.
if tonumber(ends_at) > now + seconds then
  redis.call('HSET', KEYS[1], 'expires_at', exact(now + seconds))
end
return {0, result}
