-- Deletes some of the sessions that have shown no life for long; answers what was removed, and
-- how many were looked at.
-- KEYS: sessions. ARGV: the score that theirs are above, how many at most.

local above, limit = take(), take()
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. above, '+inf', 'LIMIT', 0, limit)
for _, id in ipairs(old) do
  forget(id)
end
local answer = counts()
table.insert(answer, #old)
return answer
