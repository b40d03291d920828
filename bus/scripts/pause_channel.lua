--@include channel
-- Let a channel take no messages, or let it take them again.
-- KEYS  the channel's
-- ARGV  1 to pause, 0 to resume
-- reply {'ok', settings as a flat list, 1 | 0 when it was so before} | {'channel_not_found'}
if not settings() then return {'channel_not_found'} end
local was = redis.call('HGET', CHANNEL, 'paused') == '1' and '1' or '0'
if was ~= ARGV[1] then
  redis.call('HSET', CHANNEL, 'paused', ARGV[1], 'updated_ms', string.format('%.0f', NOW))
end
return {'ok', redis.call('HGETALL', CHANNEL), was ~= ARGV[1] and 1 or 0}
