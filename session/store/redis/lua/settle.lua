-- Charges what a request did cost instead of what was reserved; answers with the keys of its
-- accounts, each before its amounts, or with nothing if it is not known.
-- KEYS: reservation. ARGV: now, id, micros, tokens, requests, whether it is an estimate (1 or 0),
-- whether it is unpriced (1 or 0).

local now, id = take(), take()
local cost = {
  micros = take_number(),
  tokens = take_number(),
  requests = take_number(),
  estimated = take_number(),
  unpriced = take_number(),
}

let_run_out(now)
local held = reservation_in(KEYS[1])
if not held then
  return {}
end
local answer = {}
for _, account in ipairs(held.accounts) do
  if held.has_run_out then
    charge(account, 0, 0, estimate(0 - held.micros, 0 - held.tokens))
    charge(account, 0, 0, cost)
  else
    charge(account, held.micros, held.tokens, cost)
  end
end
for _, account in ipairs(held.accounts) do
  table.insert(answer, account)
  with_amounts(answer, {account})
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', DUE, id)
return answer
