--@include keys
-- Put a webhook's delivery on the queue, once. The queue is a claimable channel that no name leads to, made on the way.
-- KEYS  the queue's; EXTRA, the mark that the delivery leaves
-- ARGV  ms to keep the mark, delivery JSON, setting of the queue, its value, …
-- reply {'new', id} | {'dup'}
if not redis.call('SET', EXTRA, '1', 'NX', 'PX', ARGV[1]) then return {'dup'} end
-- It has no `created_ms`, and what was never created is in no index.
redis.call('HSET', CHANNEL, 'mode', 'claimable', 'access', 'open', 'owner_key_id', '', unpack(ARGV, 3))
local ttl = tonumber(redis.call('HGET', CHANNEL, 'ttl_ms'))
local id = redis.call('XADD', STREAM, '*', '_exp', string.format('%.0f', NOW + ttl), 'content', ARGV[2])
tell(STREAM, 'xadd')
return {'new', id}
