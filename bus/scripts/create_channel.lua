--@include channel
-- Create a channel, unless it exists with the same mode and access.
-- KEYS  the channel's; EXTRA, what told its waiters when a channel of this name was deleted
-- ARGV  API key id, mode, access, field, value, …
-- reply {'new' | 'existing', settings as a flat list} | {'channel_exists', mode, access} | {'channel_access_denied'}
local s = settings()
if s then
  if s.mode ~= ARGV[2] or s.access ~= ARGV[3] then return {'channel_exists', s.mode, s.access} end
  if s.access == 'restricted' and not is_member(s, ARGV[1]) then return {'channel_access_denied'} end
  return {'existing', redis.call('HGETALL', CHANNEL)}
end
local now = string.format('%.0f', NOW)
local fields = {'mode', ARGV[2], 'access', ARGV[3], 'created_ms', now, 'updated_ms', now}
for i = 4, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', CHANNEL, unpack(fields))
if ARGV[2] == 'claimable' then redis.pcall('XGROUP', 'CREATE', STREAM, 'workers', '0', 'MKSTREAM') end
redis.call('DEL', EXTRA)
return {'new', redis.call('HGETALL', CHANNEL)}
