-- A session: a hash of its fields, what hangs on it, and the sorted sets in which it is found.

-- It is deleted after a day without a sign of life; Redis collects a week later what was not.
local LIFE = 8 * DAY

-- By the last sign of life, negative, so that the latest come first and equals by their id.
local SESSIONS = PREFIX .. 'sessions'

-- One for each timed reply, by its time.
local REPLIES = PREFIX .. 'replies'

-- The newest turns that were measured, by their time: session and turn.
local LATELY = PREFIX .. 'lately'

local OWN = {'session', 'messages', 'message_ids', 'turns', 'measured', 'timed', 'claims_of'}

local function is_known(id)
  return redis.call('EXISTS', name('session', id)) == 1
end

-- Nil for an unknown session.
local function places_of(id)
  local room, user = unpack(redis.call('HMGET', name('session', id), 'room_name', 'user'))
  if not room then
    return nil
  end
  return {
    indexes = {name('room', room), name('user', user), name('visits', user .. ':' .. room)},
    said = name('said', user),
  }
end

local function keep(id)
  local places = places_of(id)
  for _, kind in ipairs(OWN) do
    keep_for(name(kind, id), LIFE)
  end
  for _, index in ipairs(places.indexes) do
    keep_for(index, LIFE)
  end
  keep_for(places.said, LIFE)
  keep_for(SESSIONS, LIFE)
  keep_for(REPLIES, LIFE)
  keep_for(LATELY, LIFE)
end

local function show_life(id, now)
  redis.call('HSET', name('session', id), 'seen_at', now)
  redis.call('ZADD', SESSIONS, exact(-tonumber(now)), id)
  keep(id)
end
