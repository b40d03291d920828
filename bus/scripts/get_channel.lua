--@include channel
-- A channel's settings.
-- KEYS  the channel's
-- ARGV  API key id
-- reply {'ok', member (0|1), settings as a flat list} | a refusal
local s, refused = enter(ARGV[1], '')
if refused then return refused end
return {'ok', is_member(s, ARGV[1]) and 1 or 0, redis.call('HGETALL', CHANNEL)}
