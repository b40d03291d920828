--@include clock
-- A rate limit by GCRA. The key holds the moment (µs) at which its calls are back at an even pace, and expires then.
-- `limit` calls may come at once, after that one per window/limit. Whole µs throughout: a double holds them exactly.
-- Returns the calls that are left and the ms until the next one is let through: 0 when this one was. A call that is
-- refused does not count; `cost` 0 only looks. A limit that was lowered, or a clock that went back, costs at most a window.
local function take(key, limit, window_ms, cost)
  local pace = math.floor(window_ms * 1000 / limit)
  local burst = pace * limit
  local now = clock[1] * 1000000 + clock[2]
  local ahead = math.min(math.max((tonumber(redis.call('GET', key) or now)) - now, 0), burst)
  local left = math.floor((burst - ahead) / pace)
  if left < 1 then return 0, math.max(1, math.ceil((ahead + pace - burst) / 1000)) end
  if cost > 0 then
    ahead = ahead + pace
    redis.call('DEL', key)  -- in a full store a script may finish only what it began without asking for memory
    redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.max(1, math.ceil(ahead / 1000)))
  end
  return left - cost, 0
end
