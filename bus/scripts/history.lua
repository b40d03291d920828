--@include channel
-- A page of what left a channel, newest first; what is past the retention is gone, swept or not.
-- KEYS  the channel's
-- ARGV  API key id, id to go on from (exclusive) or '', limit
-- reply {'ok', member (0|1), {{id in the history, fields}, …}} | a refusal
local s, refused = enter(ARGV[1], '')
if refused then return refused end
local kept_since = NOW - (tonumber(redis.call('HGET', CHANNEL, 'retention_ms')) or NOW)
local newest = ARGV[2] == '' and '+' or '(' .. ARGV[2]
local rows = redis.call('XREVRANGE', HISTORY, newest, string.format('%.0f', kept_since), 'COUNT', ARGV[3])
return {'ok', is_member(s, ARGV[1]) and 1 or 0, rows}
