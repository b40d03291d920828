-- Let go of a label, unless it has passed to another API key.
-- KEYS  the labels
-- ARGV  label, API key id
-- reply 1, or 0 when it was not that key's
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
