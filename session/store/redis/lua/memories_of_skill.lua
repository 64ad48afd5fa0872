-- The keys that a skill has, in order, each before its text.
-- KEYS: memories. ARGV: user, skill.

local user, skill = take(), take()
local found = {}
for _, place in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], range_of(skill))) do
  local text = redis.call('GET', memory_at(user, place))
  if text then
    table.insert(found, string.sub(place, #skill + 2))
    table.insert(found, text)
  end
end
return found
