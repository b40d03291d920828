--@include members
--@include notices
-- Approve or deny an access request, for the channel's owner.
-- KEYS  the channel's
-- ARGV  API key id, requester's API key id, request id, approved | denied
-- reply {'ok', request JSON} | a refusal: access_request_not_found, access_request_resolved (status), too_many_members
local s, refused = owned_by(ARGV[1])
if refused then return refused end
local text = redis.call('HGET', REQUESTS, ARGV[2])
local r = text and cjson.decode(text)
if not r or r.id ~= ARGV[3] then return {'access_request_not_found'} end
if r.status ~= 'pending' then return {'access_request_resolved', r.status} end
r.status = ARGV[4]
if r.status == 'approved' then
  if not is_member(s, r.key_id) and members_full() then return {'too_many_members', MOST_MEMBERS} end
  if not is_member(s, r.key_id) then note_approval(r.key_id, ARGV[1]) end
  let_in(s, r.key_id, ARGV[1], '')
end
local resolved = cjson.encode(r)
redis.call('HSET', REQUESTS, ARGV[2], resolved)
return {'ok', resolved}
