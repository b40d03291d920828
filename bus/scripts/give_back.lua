--@include clock
-- A call that was counted against a rate limit came to nothing: as if it had not been made.
-- KEYS  the rate state
-- ARGV  limit, window ms
-- reply {'ok'}
local now = clock[1] * 1000000 + clock[2]
local even = tonumber(redis.call('GET', KEYS[1]) or 0) - math.floor(tonumber(ARGV[2]) * 1000 / tonumber(ARGV[1]))
redis.call('DEL', KEYS[1])  -- in a full store a script may finish only what it began without asking for memory
if even > now then redis.call('SET', KEYS[1], string.format('%.0f', even), 'PX', math.ceil((even - now) / 1000)) end
return {'ok'}
