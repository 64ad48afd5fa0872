-- The version of what is kept here, set where there is none; and whether there was none.
-- KEYS: version. ARGV: this June's.

local found = redis.call('GET', KEYS[1])
-- Also where it is there: a server that is full shows at a write only, and better now than in a
-- call.
redis.call('SET', KEYS[1], found or ARGV[1])
keep_for(KEYS[1], LONG)
return {found or ARGV[1], found and 0 or 1}
