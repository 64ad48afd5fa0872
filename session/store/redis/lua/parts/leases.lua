-- A lease: a hash by its room, and a set of the rooms that somebody holds. A room that was given
-- back keeps its hash for a while, without an owner: who held it before cannot take it again by
-- renewing, as in a store that was emptied.

local LEASES = PREFIX .. 'leases'
local FENCE = PREFIX .. 'fence'

local function hold(room, owner, fence, asked, seconds, now, note)
  local key = name('lease', room)
  redis.call('HSET', key, 'owner', owner, 'fence', exact(fence), 'asked', asked)
  redis.call('HSET', key, 'expires_at', exact(now + seconds), 'seconds', exact(seconds), 'note', note)
  redis.call('SADD', LEASES, room)
  keep_for(key, seconds + HOUR)
  keep_for(LEASES, LONG)
end

local function give_back(room)
  local key = name('lease', room)
  redis.call('HSET', key, 'owner', '', 'asked', '0', 'expires_at', '0', 'note', '')
  redis.call('SREM', LEASES, room)
  keep_for(key, HOUR)
end

-- At least as high as this one, so that fences grow also after the store was emptied.
local function raise_fence(least)
  local fence = math.max(least, tonumber(redis.call('GET', FENCE) or 0))
  redis.call('SET', FENCE, exact(fence))
  keep_for(FENCE, LONG)
  return fence
end

-- Whether it lasts. No lease lasts longer than its time: otherwise the clock was set back.
local function lasts(key, now)
  local held = redis.call('HMGET', key, 'expires_at', 'seconds')
  local ends_at = math.min(tonumber(held[1]), now + tonumber(held[2]))
  redis.call('HSET', key, 'expires_at', exact(ends_at))
  return ends_at > now
end

-- Calls `visit(room, owner)` for each; forgets the rooms whose lease Redis collected.
local function each_lease(visit)
  for _, room in ipairs(redis.call('SMEMBERS', LEASES)) do
    local owner = redis.call('HGET', name('lease', room), 'owner')
    if owner then
      visit(room, owner)
    else
      redis.call('SREM', LEASES, room)
    end
  end
end
