--@include members
-- A page of what was never delivered to a channel's webhooks, newest first, for its owner.
-- KEYS  the channel's; EXTRA, its failures
-- ARGV  API key id, id to go on from (exclusive) or '', limit
-- reply {'ok', {{id, fields}, …}} | a refusal
local s, refused = owned_by(ARGV[1])
if refused then return refused end
local newest = ARGV[2] == '' and '+' or '(' .. ARGV[2]
-- Older ones are of a deleted channel of that name: they are no business of this one's owner.
return {'ok', redis.call('XREVRANGE', EXTRA, newest, string.format('%.0f-0', s.created), 'COUNT', ARGV[3])}
