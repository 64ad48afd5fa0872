-- A lease: a hash by its room, and a set of all rooms that have one.

local LEASES = PREFIX .. 'leases'
local FENCE = PREFIX .. 'fence'

local function hold(room, owner, fence, asked, seconds, now)
  local key = name('lease', room)
  redis.call('HSET', key, 'owner', owner, 'fence', exact(fence), 'asked', asked)
  redis.call('HSET', key, 'expires_at', exact(now + seconds), 'seconds', exact(seconds))
  redis.call('SADD', LEASES, room)
  keep_for(key, seconds + HOUR)
  keep_for(LEASES, LONG)
end

-- At least as high as this one, so that fences grow also after the store was emptied.
local function raise_fence(least)
  local fence = math.max(least, tonumber(redis.call('GET', FENCE) or 0))
  redis.call('SET', FENCE, exact(fence))
  keep_for(FENCE, LONG)
  return fence
end

-- Calls `visit(lease's key, owner)` for each; forgets the rooms whose lease Redis collected.
local function each_lease(visit)
  for _, room in ipairs(redis.call('SMEMBERS', LEASES)) do
    local owner = redis.call('HGET', name('lease', room), 'owner')
    if owner then
      visit(name('lease', room), owner)
    else
      redis.call('SREM', LEASES, room)
    end
  end
end
