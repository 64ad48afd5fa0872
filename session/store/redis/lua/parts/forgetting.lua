-- Deletes a session with everything of it, and counts what there was.
-- ARGV, before the script's own: what the key of a session's account begins with.

local ACCOUNT = take()

local removed = {sessions = 0, messages = 0, turns = 0, answers = 0, memories = 0}

local function forget_claims(id)
  for _, key in ipairs(redis.call('SMEMBERS', name('claims_of', id))) do
    local owner, result = unpack(redis.call('HMGET', name('claim', key), 'session_id', 'result'))
    -- Another session may have claimed the same since.
    if owner == id then
      redis.call('DEL', name('claim', key))
      removed.answers = removed.answers + (result and 1 or 0)
    end
  end
end

local function forget(id)
  local places = places_of(id)
  redis.call('ZREM', SESSIONS, id)
  if not places then
    return
  end
  local messages = redis.call('LLEN', name('messages', id))
  for index = 0, messages - 1 do
    redis.call('ZREM', places.said, id .. ' ' .. index)
  end
  for _, reply in ipairs(redis.call('SMEMBERS', name('timed', id))) do
    redis.call('ZREM', REPLIES, reply)
  end
  for _, turn in ipairs(redis.call('HKEYS', name('measured', id))) do
    redis.call('ZREM', LATELY, id .. ' ' .. turn)
  end
  removed.sessions = removed.sessions + 1
  removed.messages = removed.messages + messages
  removed.turns = removed.turns + redis.call('HLEN', name('measured', id))
  forget_claims(id)
  redis.call('UNLINK', ACCOUNT .. id)
  for _, index in ipairs(places.indexes) do
    redis.call('ZREM', index, id)
  end
  for _, kind in ipairs(OWN) do
    redis.call('UNLINK', name(kind, id))
  end
end

local function counts()
  return {
    removed.sessions, removed.messages, removed.turns, removed.answers, removed.memories,
  }
end
