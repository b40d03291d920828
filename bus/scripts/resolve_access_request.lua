--@include channel
-- Approve or deny an access request, for the channel's owner.
-- KEYS  the channel's
-- ARGV  API key id, request id, approved | denied
-- reply {'ok', request JSON} | a refusal: access_request_not_found, access_request_resolved (status)
local s = settings()
if not s then return {'channel_not_found'} end
if s.owner ~= ARGV[1] then return {'forbidden', 'owner'} end
local text = redis.call('HGET', REQUESTS, ARGV[2])
if not text then return {'access_request_not_found'} end
local r = cjson.decode(text)
if r.status ~= 'pending' then return {'access_request_resolved', r.status} end
r.status = ARGV[3]
local resolved = cjson.encode(r)
redis.call('HSET', REQUESTS, ARGV[2], resolved)
if r.status == 'approved' then
  redis.call('HSET', MEMBERS, r.key_id, cjson.encode({label = r.label, at = NOW, by = ARGV[1]}))
  redis.call('XADD', EVENTS, 'MAXLEN', '~', 1000, '*', 'event', 'member_added', 'by', ARGV[1], 'subject', r.key_id)
end
return {'ok', resolved}
