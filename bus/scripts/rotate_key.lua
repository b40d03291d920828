--@include clock
-- Give an API key a new secret. The replaced one is good for a while; the one before that is over now.
-- KEYS  the API key's record, its revocation
-- ARGV  SHA-256 of the new raw key, overlap ms, ms to keep the ring
-- reply {label, created ms} | nil: no such key, or it was revoked
local kept = redis.call('HMGET', KEYS[1], 'sha256', 'label', 'created_ms', 'revoked_ms')
if not kept[1] or kept[4] then return false end
local overlap = tonumber(ARGV[2])
if overlap > 0 then
  redis.call('HSET', KEYS[1], 'old_sha256', kept[1], 'old_until_ms', string.format('%.0f', NOW + overlap))
else
  redis.call('HDEL', KEYS[1], 'old_sha256', 'old_until_ms')
end
redis.call('HSET', KEYS[1], 'sha256', ARGV[1])
redis.call('SET', KEYS[2], string.format('%.0f', NOW), 'PX', ARGV[3])  -- who waits under a secret that is over now learns it
tell(KEYS[2], 'set')
return {kept[2], kept[3]}
