-- What skills keep of a user: each text under a key of its own, which ends by itself, and one sorted
-- set of their places, in which those of one skill stand together in the order of their keys.

local MEMORY = 365 * DAY

-- No text that June keeps has a NUL.
local function place_in(skill, key)
  return skill .. '\0' .. key
end

-- The range of a skill's places, for commands that order them.
local function range_of(skill)
  return '[' .. skill .. '\0', '(' .. skill .. '\1'
end

local function memory_at(user, place)
  return name('memory', user .. ':' .. place)
end

-- Those of which Redis has collected the text keep their place no longer.
local function collect_places(user)
  local index = name('memories', user)
  for _, place in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if redis.call('EXISTS', memory_at(user, place)) == 0 then
      redis.call('ZREM', index, place)
    end
  end
end

-- How many texts there were.
local function forget_memories(user)
  local index, texts = name('memories', user), 0
  for _, place in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    texts = texts + redis.call('DEL', memory_at(user, place))
  end
  redis.call('DEL', index)
  return texts
end
