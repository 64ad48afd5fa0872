-- What every script begins with: its arguments one after the other, exact numbers, names of keys.
-- A time is given as the text of its exact number: kept as it is, and compared and added to as the
-- number that Lua reads in it.

local PREFIX = '{june}:'
local HOUR, DAY = 3600, 86400

-- Of what must outlast everything else.
local LONG = 400 * DAY

local taken = 0

local function take()
  taken = taken + 1
  return ARGV[taken]
end

-- Nil where an empty text stands for none.
local function take_number()
  return tonumber(take())
end

-- Redis would cut a number to an integer, and Lua's own text of it has 14 digits.
local function exact(number)
  return string.format('%.17g', number)
end

local function name(kind, of)
  return PREFIX .. kind .. ':' .. of
end

-- At least `seconds` of real time, whatever clock the callers go by.
local function keep_for(key, seconds)
  redis.call('EXPIRE', key, exact(math.ceil(math.min(math.max(seconds, 1), LONG))))
end
