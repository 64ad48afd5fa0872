-- Keeps the state of a skill, or that there is none, for a session that is known.
-- KEYS: session. ARGV: its id, the skill or ''.

local id, skill = take(), take()
if is_known(id) then
  if skill == '' then
    redis.call('HDEL', KEYS[1], 'skill')
  else
    redis.call('HSET', KEYS[1], 'skill', skill)
  end
  keep(id)
end
