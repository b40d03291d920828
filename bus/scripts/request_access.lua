--@include members
-- Ask to become a member of a restricted channel. A key has one request there: the pending one, or the last resolved.
-- KEYS  the channel's
-- ARGV  API key id, its label, reason, id for a new request, how many requests a channel keeps
-- reply {'open'} | {'already_member'} | {'pending', request id} | a refusal: too_many_access_requests
local s = settings()
if not s then return {'channel_not_found'} end
if s.access == 'open' then return {'open'} end
local key_id, most = ARGV[1], tonumber(ARGV[5])
if is_member(s, key_id) then return {'already_member'} end
local before = redis.call('HGET', REQUESTS, key_id)
if before then
  local r = cjson.decode(before)
  if r.status == 'pending' then return {'pending', r.id} end
elseif redis.call('HLEN', REQUESTS) >= most then
  local kept = redis.call('HGETALL', REQUESTS)
  for i = 1, #kept, 2 do  -- what was resolved makes room
    if not string.find(kept[i + 1], '"status":"pending"', 1, true) then redis.call('HDEL', REQUESTS, kept[i]) end
  end
  if redis.call('HLEN', REQUESTS) >= most then return {'too_many_access_requests', most} end
end
redis.call('HSET', REQUESTS, key_id, cjson.encode({
  id = ARGV[4], key_id = key_id, label = ARGV[2], reason = ARGV[3], status = 'pending', at = NOW
}))
return {'pending', ARGV[4]}
