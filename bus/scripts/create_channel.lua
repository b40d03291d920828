--@include keys
-- Create a channel, unless it exists with the same mode and access.
-- KEYS  the channel's
-- ARGV  mode, access, field, value, …
-- reply {'new' | 'existing', settings as a flat list} | {'channel_exists', mode, access}
local s = redis.call('HMGET', CHANNEL, 'mode', 'access')
if s[1] then
  if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return {'channel_exists', s[1], s[2]} end
  return {'existing', redis.call('HGETALL', CHANNEL)}
end
local fields = {'mode', ARGV[1], 'access', ARGV[2], 'created_ms', string.format('%.0f', NOW), 'updated_ms', string.format('%.0f', NOW)}
for i = 3, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', CHANNEL, unpack(fields))
if ARGV[1] == 'claimable' then redis.pcall('XGROUP', 'CREATE', STREAM, 'workers', '0', 'MKSTREAM') end
return {'new', redis.call('HGETALL', CHANNEL)}
