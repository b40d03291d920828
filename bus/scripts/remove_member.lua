--@include members
-- Shut an API key out of a channel, for the channel's owner. Whoever waits there looks again, and is told.
-- KEYS  the channel's; EXTRA, what tells those who wait
-- ARGV  API key id, API key id to shut out
-- reply {'ok', was a member (0|1)} | a refusal: cannot_remove_owner
local s, refused = owned_by(ARGV[1])
if refused then return refused end
if s.owner == ARGV[2] then return {'cannot_remove_owner'} end
local was = redis.call('HDEL', MEMBERS, ARGV[2])
if was == 1 then
  note_event('member_removed', ARGV[1], ARGV[2], '')
  redis.call('SET', EXTRA, string.format('%.0f', NOW), 'PX', 10000)
  tell(EXTRA, 'set')
end
return {'ok', was}
