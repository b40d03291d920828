--@include members
-- The access requests of a channel, pending and resolved, for its owner.
-- KEYS  the channel's
-- ARGV  API key id
-- reply {'ok', {request JSON, …}} | a refusal
local s, refused = owned_by(ARGV[1])
if refused then return refused end
return {'ok', redis.call('HVALS', REQUESTS)}
