--@include clock
-- End an API key, and ring for its blocked calls.
-- KEYS  the API key's record, its revocation
-- ARGV  ms to keep the ring
-- reply {label, 1 | 0 when it was revoked before} | nil: no such key
local kept = redis.call('HMGET', KEYS[1], 'sha256', 'label', 'revoked_ms')
if not kept[1] then return false end
if kept[3] then return {kept[2], 0} end
redis.call('HDEL', KEYS[1], 'old_sha256', 'old_until_ms')  -- first: it needs no memory, so a full store goes on
redis.call('HSET', KEYS[1], 'revoked_ms', string.format('%.0f', NOW))
redis.call('SET', KEYS[2], string.format('%.0f', NOW), 'PX', ARGV[1])
tell(KEYS[2], 'set')
return {kept[2], 1}
