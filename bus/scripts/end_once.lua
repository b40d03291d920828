--@include clock
-- Say what a call came to that holds an idempotency key, and tell who waits for it.
-- KEYS  the record, see begin_once
-- ARGV  fingerprint, ms to keep it, status, answer; without the last two the key is free again
-- reply {'ok'}, also when the key passed to another call meanwhile: then nothing is changed
if redis.call('GET', KEYS[1]) ~= 'pending ' .. ARGV[1] then return {'ok'} end
local came_to = ARGV[3] and 'kept ' .. ARGV[1] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] or 'free'
redis.call('DEL', KEYS[1])  -- first: it needs no memory, and what was done must be remembered in a full store as well
redis.call('SET', KEYS[1], came_to, 'PX', ARGV[2])
tell(KEYS[1], 'set')
return {'ok'}
