-- Keeps the figures of a turn once, and finds it by its time; those of a timed reply also among the
-- newest of all.
-- KEYS: measured, timed, replies, turns by their time. ARGV: session's id, turn, figures, time, reply or '', how many
-- are kept, and how many turns are found.

local id, turn, figures, at, reply, newest = take(), take(), take(), take(), take(), take()
local lately = take()
if not is_known(id) or redis.call('HSETNX', KEYS[1], turn, figures) == 0 then
  return
end
redis.call('ZADD', LATELY, at, id .. ' ' .. turn)
redis.call('ZREMRANGEBYRANK', LATELY, 0, exact(-lately - 1))
if reply ~= '' then
  redis.call('SADD', KEYS[2], reply)
  redis.call('ZADD', REPLIES, at, reply)
  redis.call('ZREMRANGEBYRANK', REPLIES, 0, exact(-newest - 1))
end
keep(id)
