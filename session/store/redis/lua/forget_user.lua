-- Deletes all sessions of a user, and all that skills keep of them; answers what was removed.
-- KEYS: user. ARGV: user.

removed.memories = forget_memories(take())
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  forget(id)
end
return counts()
