--@include members
-- Take an invitation back, for the channel's owner and the key that made it. Again changes nothing.
-- KEYS  the channel's
-- ARGV  API key id, digest of the invitation's id
-- reply {'ok', invitation JSON, settings as a flat list, now ms} | a refusal: invitation_not_found
local s = settings()
local text = s and redis.call('HGET', INVITATIONS, ARGV[2])
if not text then return {'invitation_not_found'} end
local invitation = cjson.decode(text)
if ARGV[1] ~= s.owner and ARGV[1] ~= invitation.by then return {'forbidden', 'owner'} end
if not invitation.revoked then
  invitation.revoked = NOW
  text = cjson.encode(invitation)
  redis.call('HSET', INVITATIONS, ARGV[2], text)
  note_event('invitation_revoked', ARGV[1], '', ARGV[2])
end
return {'ok', text, redis.call('HGETALL', CHANNEL), string.format('%.0f', NOW)}
