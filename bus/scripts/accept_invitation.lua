--@include members
-- Let the bearer of an invitation into its channel, or only look at it.
-- KEYS  the channel's
-- ARGV  API key id, digest of the invitation's id, accept | look
-- reply {'ok', invitation JSON, settings as a flat list} | a refusal: invitation_not_found, invitation_revoked,
--       invitation_expired, too_many_members
local s = settings()
local text = s and redis.call('HGET', INVITATIONS, ARGV[2])
if not text then return {'invitation_not_found'} end
local invitation = cjson.decode(text)
if invitation.revoked then return {'invitation_revoked'} end
if invitation.expires <= NOW then return {'invitation_expired'} end
if ARGV[3] == 'look' then return {'ok', text, redis.call('HGETALL', CHANNEL)} end
if not is_member(s, ARGV[1]) and members_full() then return {'too_many_members', MOST_MEMBERS} end
let_in(s, ARGV[1], invitation.by, ARGV[2])
note_event('invitation_resolved', ARGV[1], ARGV[1], ARGV[2])
return {'ok', text, redis.call('HGETALL', CHANNEL)}
