-- The version of what is kept here, at least this June's; and whether there was none.
-- KEYS: version. ARGV: this June's.

local found = redis.call('GET', KEYS[1])
local is_older = not found or (tonumber(found) or math.huge) < tonumber(ARGV[1])
local version = is_older and ARGV[1] or found
-- Also where it is there: a server that is full shows at a write only, and better now than in a
-- call.
redis.call('SET', KEYS[1], version)
keep_for(KEYS[1], LONG)
return {version, found and 0 or 1}
