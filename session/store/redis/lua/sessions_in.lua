-- The sessions at these ranks of an index, as their fields.
-- KEYS: index. ARGV: ZRANGE or ZREVRANGE, first and last rank.

local found = {}
for _, id in ipairs(redis.call(ARGV[1], KEYS[1], ARGV[2], ARGV[3])) do
  local fields = redis.call('HGETALL', name('session', id))
  if #fields > 0 then
    table.insert(found, fields)
  end
end
return found
