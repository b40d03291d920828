--@include channel
-- A page of dead letters.
-- KEYS  the channel's
-- ARGV  API key id, id to go on from (exclusive), limit
-- reply {'ok', {{dead letter's stream id, fields}, …}} | a refusal
local s, refused = enter(ARGV[1], 'claimable')
if refused then return refused end
return {'ok', redis.call('XRANGE', DEAD, '(' .. ARGV[2], '+', 'COUNT', ARGV[3])}
