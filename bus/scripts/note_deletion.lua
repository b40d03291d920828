-- Note that a channel is being deleted. Taken out first, which needs no memory, so a full store goes on.
-- KEYS  the deletions
-- ARGV  deletion, its score
-- reply 1
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
