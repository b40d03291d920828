--@include channel
-- Delete a channel: gone for everybody at once, and whoever waits is told. UNLINK and RENAME cost the same however much
-- there is. What was posted is only put aside, because it names the results that are still to be cleared away.
-- KEYS  the channel's; EXTRA, what tells those who wait; [24] prefix of what is put aside, and more of the channel's keys
-- ARGV  API key id, ms to go on telling
-- reply {'ok', aliases as JSON or ''} | a refusal
local s = settings()
if not s then return {'channel_not_found'} end
if s.owner ~= ARGV[1] then return {'forbidden', 'owner'} end
-- Else its owner would resume it by making it anew.
if redis.call('HGET', CHANNEL, 'paused_by') == 'admin' then return {'forbidden', 'admin'} end
local aliases = redis.call('HGET', CHANNEL, 'aliases')
for part, key in pairs({stream = STREAM, history = HISTORY, dead = DEAD}) do
  if redis.call('EXISTS', key) == 1 then redis.call('RENAME', key, KEYS[24] .. ':' .. part) end
end
redis.call('UNLINK', unpack(KEYS))
redis.call('SET', EXTRA, string.format('%.0f', NOW), 'PX', ARGV[2])
tell(EXTRA, 'set')
return {'ok', aliases or ''}
