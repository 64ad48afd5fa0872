-- The version of what is kept here, set where there is none; and whether there was none.
-- KEYS: version. ARGV: this June's.

local found = redis.call('GET', KEYS[1])
if not found then
  redis.call('SET', KEYS[1], ARGV[1])
end
keep_for(KEYS[1], LONG)
return {found or ARGV[1], found and 0 or 1}
