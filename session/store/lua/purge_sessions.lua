-- Deletes some of the sessions that have shown no life for long; answers what was removed, and
-- how many were looked at.
-- KEYS: sessions. ARGV: the score that theirs are above, how many at most.

local old = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
for _, id in ipairs(old) do
  forget(id)
end
local answer = counts()
table.insert(answer, #old)
return answer
