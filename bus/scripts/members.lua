--@include members
-- The members of a channel, for its owner, who is not among them.
-- KEYS  the channel's
-- ARGV  API key id
-- reply {'ok', owner's API key id, created ms, {API key id, member JSON, …}} | a refusal
local s, refused = owned_by(ARGV[1])
if refused then return refused end
return {'ok', s.owner, redis.call('HGET', CHANNEL, 'created_ms'), redis.call('HGETALL', MEMBERS)}
