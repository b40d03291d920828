--@include members
-- What happened to a channel's membership in the last day, oldest first, for the channel's owner.
-- KEYS  the channel's
-- ARGV  API key id, stream id to go on after, limit
-- reply {'ok', {{stream id, fields}, …}} | a refusal
local s, refused = owned_by(ARGV[1])
if refused then return refused end
local oldest = string.format('%.0f', NOW - EVENTS_MS)
local after = ARGV[2]
local from = tonumber(string.match(after, '^%d+')) < tonumber(oldest) and oldest or '(' .. after
return {'ok', redis.call('XRANGE', EVENTS, from, '+', 'COUNT', ARGV[3])}
