--@include clock
-- Note for an actor that a message mentions it, once: the outbox that tells of it may be handed on again.
-- KEYS  [1] the actor's mentions
-- ARGV  message id, channel, mentions to keep, ms to keep them
-- reply {'new', id} | {'dup', id}
for _, found in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-')) do
  if found[2][2] == ARGV[1] then return {'dup', found[1]} end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'message', ARGV[1], 'channel', ARGV[2])
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', NOW - ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
tell(KEYS[1], 'xadd')
return {'new', id}
