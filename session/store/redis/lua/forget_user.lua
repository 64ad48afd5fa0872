-- Deletes all sessions of a user; answers what was removed.
-- KEYS: user.

for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  forget(id)
end
return counts()
