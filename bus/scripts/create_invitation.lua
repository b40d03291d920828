--@include members
-- Keep a new invitation, for the channel's owner. Only the digest of its id is known here.
-- KEYS  the channel's
-- ARGV  API key id, digest, ms it is good for, ms it is kept, how many invitations a channel keeps
-- reply {'ok', invitation JSON, settings as a flat list} | a refusal: too_many_invitations
local s, refused = owned_by(ARGV[1])
if refused then return refused end
local kept_ms, most = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HLEN', INVITATIONS) >= most then
  local kept = redis.call('HGETALL', INVITATIONS)
  for i = 1, #kept, 2 do  -- what lets nobody in any more makes room
    local each = cjson.decode(kept[i + 1])
    if each.revoked or each.expires <= NOW then redis.call('HDEL', INVITATIONS, kept[i]) end
  end
  if redis.call('HLEN', INVITATIONS) >= most then return {'too_many_invitations', most} end
end
local invitation = cjson.encode({by = ARGV[1], at = NOW, expires = NOW + tonumber(ARGV[3])})
redis.call('HSET', INVITATIONS, ARGV[2], invitation)
redis.call('PEXPIRE', INVITATIONS, kept_ms)
return {'ok', invitation, redis.call('HGETALL', CHANNEL)}
