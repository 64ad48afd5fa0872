-- Writes what was planned for one room and user, if it was planned upon what there is; else
-- answers with the sessions to plan upon.
-- KEYS: visits, room, user, count of all sessions ever. ARGV: how many were planned upon and what
-- is known of each; how many change and how; the new session, its time and fields.

-- The one to resume is among these; somebody may have thousands.
local NEWEST = 20

local function candidates()
  local found = {}
  for rank, id in ipairs(redis.call('ZREVRANGE', KEYS[1], 0, -1)) do
    local status = redis.call('HGET', name('session', id), 'status')
    if status and (status == 'open' or rank <= NEWEST) then
      table.insert(found, id)
    end
  end
  return found
end

local function are_as_planned(found)
  if take_number() ~= #found then
    return false
  end
  for _, id in ipairs(found) do
    local kept = redis.call('HMGET', name('session', id), 'status', 'seen_at', 'resumes')
    if take() ~= id or take() ~= kept[1] or take() ~= kept[2] or take() ~= kept[3] then
      return false
    end
  end
  return true
end

local found = candidates()
if not are_as_planned(found) then
  for index, id in ipairs(found) do
    found[index] = redis.call('HGETALL', name('session', id))
  end
  return found
end

for _ = 1, take_number() do
  local id, seen_at = take(), take()
  local key = name('session', id)
  redis.call('HSET', key, 'status', take(), 'resumes', take())
  for _, field in ipairs({'closed_at', 'close_reason'}) do
    local value = take()
    if value == '' then
      redis.call('HDEL', key, field)
    else
      redis.call('HSET', key, field, value)
    end
  end
  show_life(id, seen_at)
end

local new_id, created_at = take(), take()
if new_id ~= '' then
  redis.call('HSET', name('session', new_id), unpack(ARGV, taken + 1))
  for index = 1, 3 do
    redis.call('ZADD', KEYS[index], created_at, new_id)
  end
  show_life(new_id, created_at)
  redis.call('INCR', KEYS[4])
  keep_for(KEYS[4], LONG)
end
return false
