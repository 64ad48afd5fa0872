-- Accounts, what is reserved in them, and the breaker.

local BREAKER = PREFIX .. 'breaker'

-- Reservations by the time at which they run out.
local DUE = PREFIX .. 'reservations'

-- How long an account is kept that nobody uses, and a reservation that ran out.
local KEPT = 2 * DAY

local FIELDS = {
  'spent_micros', 'reserved_micros', 'spent_tokens', 'reserved_tokens', 'requests',
  'estimated_micros', 'unpriced_requests',
}

-- Its amounts as texts, in the order of FIELDS.
local function amounts_of(account)
  local amounts = redis.call('HMGET', account, unpack(FIELDS))
  for index = 1, #FIELDS do
    amounts[index] = amounts[index] or '0'
  end
  return amounts
end

local function add(account, field, amount)
  redis.call('HINCRBY', account, field, string.format('%.0f', amount))
end

-- Never shorter than was promised before: another reservation may last longer.
local function keep_account(account, seconds)
  if redis.call('TTL', account) < seconds then
    keep_for(account, seconds)
  end
end

local function charge(account, held_micros, held_tokens, cost)
  -- One that is missing was deleted with its session: it outlives what is reserved in it.
  if redis.call('EXISTS', account) == 0 then
    return
  end
  add(account, 'spent_micros', cost.micros)
  add(account, 'reserved_micros', 0 - held_micros)
  add(account, 'spent_tokens', cost.tokens)
  add(account, 'reserved_tokens', 0 - held_tokens)
  add(account, 'requests', cost.requests - 1)
  add(account, 'estimated_micros', cost.micros * cost.estimated)
  add(account, 'unpriced_requests', cost.unpriced)
  keep_account(account, KEPT)
end

local function estimate(micros, tokens)
  return {micros = micros, tokens = tokens, requests = 1, estimated = 1, unpriced = 0}
end

-- Nil for one that is not known.
local function reservation_in(key)
  local micros, tokens, count, has_run_out =
    unpack(redis.call('HMGET', key, 'micros', 'tokens', 'accounts', 'has_run_out'))
  if not micros then
    return nil
  end
  local accounts = {}
  for index = 1, tonumber(count) do
    accounts[index] = redis.call('HGET', key, 'account ' .. index)
  end
  return {
    micros = tonumber(micros),
    tokens = tonumber(tokens),
    accounts = accounts,
    has_run_out = has_run_out == '1',
  }
end

-- What nobody settled in time becomes a charge.
local function let_run_out(now)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, 200)) do
    local key = name('reservation', id)
    local held = reservation_in(key)
    redis.call('ZREM', DUE, id)
    if held then
      for _, account in ipairs(held.accounts) do
        charge(account, held.micros, held.tokens, estimate(held.micros, held.tokens))
      end
      redis.call('HSET', key, 'has_run_out', '1')
      keep_for(key, KEPT)
    end
  end
end

-- A refusal while the breaker is open, else nil.
local function broken(now)
  local ends_at, reason = unpack(redis.call('HMGET', BREAKER, 'until', 'reason'))
  if ends_at and tonumber(ends_at) > tonumber(now) then
    return {'breaker', ends_at, reason}
  end
end

-- The one that is open for longer stays.
local function trip(ends_at, reason, now)
  local stored = redis.call('HGET', BREAKER, 'until')
  if not stored or tonumber(stored) < tonumber(ends_at) then
    redis.call('HSET', BREAKER, 'until', ends_at, 'reason', reason)
    keep_for(BREAKER, math.max(0, tonumber(ends_at) - tonumber(now)) + KEPT)
  end
end

-- Their accounts are keys of the script, from `first_key` on.
local function take_budgets(first_key)
  local budgets = {}
  for index = 1, take_number() do
    budgets[index] = {
      account = KEYS[first_key + index - 1],
      micros = take_number(),
      tokens = take_number(),
      requests = take_number(),
      trips_until = take(),
      reason = take(),
    }
  end
  return budgets
end

local function has_room(budget, micros, tokens, requests)
  local amounts = amounts_of(budget.account)
  local function fits(limit, ...)
    local total = 0
    for _, amount in ipairs({...}) do
      total = total + tonumber(amount)
    end
    return not limit or total <= limit
  end
  return fits(budget.micros, amounts[1], amounts[2], micros)
    and fits(budget.tokens, amounts[3], amounts[4], tokens)
    and fits(budget.requests, amounts[5], requests)
end

-- A refusal by the first budget in which there is no room for so much, else nil.
local function overspent(budgets, micros, tokens, requests, now)
  for index, budget in ipairs(budgets) do
    if not has_room(budget, micros, tokens, requests) then
      if budget.trips_until ~= '' then
        trip(budget.trips_until, budget.reason, now)
      end
      return {'budget', index}
    end
  end
end

-- Appends the amounts of all their accounts.
local function with_amounts(answer, accounts)
  for _, account in ipairs(accounts) do
    for _, amount in ipairs(amounts_of(account)) do
      table.insert(answer, amount)
    end
  end
  return answer
end

local function accounts_of(budgets)
  local accounts = {}
  for index, budget in ipairs(budgets) do
    accounts[index] = budget.account
  end
  return accounts
end
