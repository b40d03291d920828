--@include pace
-- One call counted against a rate limit; cost 0 only looks.
-- KEYS  the rate state
-- ARGV  limit, window ms, cost (0|1)
-- reply {calls left, ms until the next is let through}
local left, retry_ms = take(KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))
return {left, retry_ms}
