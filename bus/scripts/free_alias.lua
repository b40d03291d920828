-- Free an alias, unless it leads elsewhere by now.
-- KEYS  [1] the aliases
-- ARGV  alias, the channel that it led to
-- reply 1 when it was freed, else 0
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
