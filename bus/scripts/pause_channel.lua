--@include channel
-- Let a channel take no messages, or let it take them again: an administrator's word, which its owner cannot undo.
-- KEYS  the channel's
-- ARGV  1 to pause, 0 to resume
-- reply {'ok', settings as a flat list, 1 | 0 when it was so before} | {'channel_not_found'}
if not settings() then return {'channel_not_found'} end
local paused, by = unpack(redis.call('HMGET', CHANNEL, 'paused', 'paused_by'))
local changes = ARGV[1] == '1' and by ~= 'admin' or ARGV[1] == '0' and paused == '1'
if changes then
  redis.call('HDEL', CHANNEL, 'paused_by')  -- first: it needs no memory, so a full store goes on
  redis.call('HSET', CHANNEL, 'paused', ARGV[1], 'updated_ms', string.format('%.0f', NOW))
  if ARGV[1] == '1' then redis.call('HSET', CHANNEL, 'paused_by', 'admin') end
end
return {'ok', redis.call('HGETALL', CHANNEL), changes and 1 or 0}
