-- Holds what a request may cost in all accounts, or in none.
-- KEYS: reservation, accounts. ARGV: now, id, micros, tokens, whether it is a request (1 or 0),
-- whether it must be (1 or 0), when it runs out, in how many seconds that is, budgets.

local now, id = take(), take()
local micros, tokens, requests = take_number(), take_number(), take_number()
local must, ends_at, seconds = take() == '1', take(), take_number()
local budgets = take_budgets(2)
local accounts = accounts_of(budgets)

let_run_out(now)
if redis.call('EXISTS', KEYS[1]) == 0 then
  if not must then
    local refusal = broken(now) or overspent(budgets, micros, tokens, requests, now)
    if refusal then
      return refusal
    end
  end
  redis.call('HSET', KEYS[1], 'micros', exact(micros), 'tokens', exact(tokens))
  redis.call('HSET', KEYS[1], 'accounts', #accounts)
  for index, account in ipairs(accounts) do
    redis.call('HSET', KEYS[1], 'account ' .. index, account)
    add(account, 'reserved_micros', micros)
    add(account, 'reserved_tokens', tokens)
    add(account, 'requests', requests)
    keep_account(account, seconds + KEPT)
  end
  redis.call('ZADD', DUE, ends_at, id)
  keep_for(KEYS[1], seconds + KEPT)
  keep_for(DUE, LONG)
end
return with_amounts({'allowed'}, accounts)
