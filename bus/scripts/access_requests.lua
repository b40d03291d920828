--@include channel
-- The access requests of a channel, for its owner.
-- KEYS  the channel's
-- ARGV  API key id
-- reply {'ok', {request JSON, …}} | a refusal
local s = settings()
if not s then return {'channel_not_found'} end
if s.owner ~= ARGV[1] then return {'forbidden', 'owner'} end
return {'ok', redis.call('HVALS', REQUESTS)}
