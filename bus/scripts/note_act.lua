-- Write an act into the audit trail. What is over its bound goes first, which needs no memory, so a full store goes on.
-- KEYS  the audit trail
-- ARGV  how many acts to keep, field, value, …
-- reply the entry's id
redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1])
return redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
