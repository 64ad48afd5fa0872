-- The amounts of accounts, once what nobody settled in time is charged.
-- KEYS: accounts. ARGV: now.

let_run_out(take())
return with_amounts({}, KEYS)
