--@include channel
-- Change a channel's settings, all that is asked for or nothing; for its owner.
-- KEYS  the channel's; EXTRA, what tells those who wait
-- ARGV  API key id, mode or '' to keep it, number of fields to set, field, value, …, field to remove, …
-- reply {'ok', settings as a flat list} | a refusal: channel_not_empty
local s = settings()
if not s then return {'channel_not_found'} end
if s.owner ~= ARGV[1] then return {'forbidden', 'owner'} end
local mode, last = ARGV[2], 3 + 2 * tonumber(ARGV[3])
for i = 4, last, 2 do
  if ARGV[i] == 'paused' and ARGV[i + 1] == '0' and redis.call('HGET', CHANNEL, 'paused_by') == 'admin' then
    return {'forbidden', 'admin'}
  end
end
if mode ~= '' and mode ~= s.mode then
  local info = redis.pcall('XINFO', 'STREAM', STREAM)  -- no such key: nothing was posted
  for i = 1, info.err and 0 or #info, 2 do
    if info[i] == 'last-generated-id' and info[i + 1] ~= '0-0' then return {'channel_not_empty', s.mode} end
  end
  redis.call('UNLINK', STREAM, CURSORS)
  if mode == 'claimable' then redis.call('XGROUP', 'CREATE', STREAM, 'workers', '0', 'MKSTREAM') end
  redis.call('HSET', CHANNEL, 'mode', mode)
end
local fields = {}
for i = 4, last do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', CHANNEL, 'updated_ms', string.format('%.0f', NOW), unpack(fields))
for i = last + 1, #ARGV do redis.call('HDEL', CHANNEL, ARGV[i]) end
local changed = settings()
if changed.mode ~= s.mode or changed.access ~= s.access then  -- some who wait may do so no longer
  redis.call('SET', EXTRA, string.format('%.0f', NOW), 'PX', 10000)
  tell(EXTRA, 'set')
end
return {'ok', redis.call('HGETALL', CHANNEL)}
