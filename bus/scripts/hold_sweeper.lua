-- One replica sweeps at a time: take or renew the right to.
-- KEYS  [1] the sweeper's key
-- ARGV  replica's name, ms to hold it
-- reply 1 when it is the caller's, else 0
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])  -- first: it needs no memory, so a full store is swept as well
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
