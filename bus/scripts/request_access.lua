--@include channel
-- Ask to become a member of a restricted channel.
-- KEYS  the channel's
-- ARGV  API key id, its label, reason, id for a new request
-- reply {'open'} | {'already_member'} | {'pending', request id} | {'channel_not_found'}
local s = settings()
if not s then return {'channel_not_found'} end
if s.access == 'open' then return {'open'} end
if is_member(s, ARGV[1]) then return {'already_member'} end
local requests = redis.call('HVALS', REQUESTS)
for _, text in ipairs(requests) do
  local r = cjson.decode(text)
  if r.key_id == ARGV[1] and r.status == 'pending' then return {'pending', r.id} end
end
redis.call('HSET', REQUESTS, ARGV[4], cjson.encode({
  id = ARGV[4], key_id = ARGV[1], label = ARGV[2], reason = ARGV[3], status = 'pending', at = NOW
}))
return {'pending', ARGV[4]}
