--@include clock
-- Take an idempotency key for one call, or learn what its first call came to.
-- KEYS  the record: 'pending <fingerprint>', 'free' or 'kept <fingerprint> <status> <answer>'
-- ARGV  fingerprint, ms after which a call that never ended no longer holds the key
-- reply {'taken'} | {'pending', ms left} | {'kept', status, answer} | {'idempotency_conflict'}
local before = redis.call('GET', KEYS[1])
if not before or before == 'free' then
  redis.call('DEL', KEYS[1])  -- first: it needs no memory, so a full store lets in what will free some
  redis.call('SET', KEYS[1], 'pending ' .. ARGV[1], 'PX', ARGV[2])
  return {'taken'}
end
local state, fingerprint, rest = string.match(before, '^(%S+) (%S+) ?(.*)$')
if fingerprint ~= ARGV[1] then return {'idempotency_conflict'} end
if state == 'pending' then return {'pending', redis.call('PTTL', KEYS[1])} end
local status, answer = string.match(rest, '^(%S+) (.*)$')
return {'kept', status, answer}
