-- May this happen now? The breaker, the budgets, the block, the windows; counted if allowed.
-- KEYS: accounts, windows, block, refusals. ARGV: now, tag, whether it counts, budgets,
-- windows, and the block's rule where there is one.

local now, tag, counts = take(), take(), take() == '1'
local budgets = take_budgets(1)

-- Those of the future are of now: the clock was set back.
local function drop_old(key, seconds)
  for _, late in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now, '+inf')) do
    redis.call('ZADD', key, now, late)
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', exact(now - seconds))
end

local function hit(key, seconds)
  redis.call('ZADD', key, 'NX', now, tag)
  keep_for(key, seconds + HOUR)
end

local function take_windows(first_key)
  local windows = {}
  for index = 1, take_number() do
    local key = KEYS[first_key + index - 1]
    local window = {
      key = key,
      limit = take_number(),
      seconds = take_number(),
      leads_to_block = take() == '1',
    }
    drop_old(key, window.seconds)
    window.count = redis.call('ZCARD', key)
    window.has_tag = redis.call('ZSCORE', key, tag) and true
    windows[index] = window
  end
  return windows
end

local function is_counted(windows)
  for _, window in ipairs(windows) do
    if not window.has_tag then
      return false
    end
  end
  return #windows > 0
end

-- The windows that refuse, each with how long, nil if none does; and whether it leads to a block.
local function refusal_by(windows)
  local refusal, leads_to_block = {'window'}, false
  for index, window in ipairs(windows) do
    if not window.has_tag and window.count >= window.limit then
      local leaves = tonumber(now)
      if window.limit > 0 then
        -- It is allowed once so many have left that one more fits.
        local rank = window.count - window.limit
        leaves = tonumber(redis.call('ZRANGE', window.key, rank, rank, 'WITHSCORES')[2])
      end
      leads_to_block = leads_to_block or window.leads_to_block
      table.insert(refusal, index)
      table.insert(refusal, exact(leaves + window.seconds - now))
    end
  end
  return #refusal > 1 and refusal or nil, leads_to_block
end

local STRIKES_KEPT

local function take_block(first_key)
  local refusals = take_number()
  if not refusals then
    return nil
  end
  local block = {
    key = KEYS[first_key],
    refusals_key = KEYS[first_key + 1],
    refusals = refusals,
    within = take_number(),
    shortest = take_number(),
    longest = take_number(),
  }
  STRIKES_KEPT = take_number()
  local ends_at, strikes = unpack(redis.call('HMGET', block.key, 'until', 'strikes'))
  block.ends_at = tonumber(ends_at or '-inf')
  block.strikes = tonumber(strikes or 0)
  return block
end

local function blocked_for(block)
  return math.max(0, math.min(block.ends_at - now, block.longest))
end

local function is_blocked(block)
  local wait = blocked_for(block)
  if block.ends_at > now + wait then -- the clock was set back
    redis.call('HSET', block.key, 'until', exact(now + wait))
  end
  return wait > 0
end

-- One refusal too many: each block is twice as long as the one before.
local function begin_block(block)
  redis.call('DEL', block.refusals_key)
  local strikes = now - block.ends_at > STRIKES_KEPT and 0 or block.strikes
  block.ends_at = now + math.min(block.longest, block.shortest * 2 ^ math.min(strikes, 64))
  redis.call('HSET', block.key, 'until', exact(block.ends_at), 'strikes', strikes + 1)
  keep_for(block.key, block.longest + STRIKES_KEPT)
  return {'blocked', exact(blocked_for(block))}
end

local function count_refusal(block)
  drop_old(block.refusals_key, block.within)
  hit(block.refusals_key, block.within)
  return redis.call('ZCARD', block.refusals_key)
end

local function allow(windows)
  local answer = {'allowed'}
  for _, window in ipairs(windows) do
    if counts and not window.has_tag then
      hit(window.key, window.seconds)
    end
    table.insert(answer, redis.call('ZCARD', window.key))
  end
  return with_amounts(answer, accounts_of(budgets))
end

let_run_out(now)
local unpayable = broken(now) or overspent(budgets, 1, 1, 1, now)
if unpayable then
  return unpayable
end
local windows = take_windows(#budgets + 1)
local block = take_block(#budgets + #windows + 1)
if block and not is_counted(windows) and is_blocked(block) then
  return {'blocked', exact(blocked_for(block))}
end
local refusal, leads_to_block = refusal_by(windows)
if not refusal then
  return allow(windows)
end
if block and counts and leads_to_block and count_refusal(block) >= block.refusals then
  return begin_block(block)
end
return refusal
