-- Takes back what was counted under a tag.
-- KEYS: windows. ARGV: tag.

for _, window in ipairs(KEYS) do
  redis.call('ZREM', window, ARGV[1])
end
