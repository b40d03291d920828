--@include members
-- Let an API key into a channel, for the channel's owner.
-- KEYS  the channel's
-- ARGV  API key id, API key id to let in
-- reply {'ok', member JSON} | a refusal: too_many_members
local s, refused = owned_by(ARGV[1])
if refused then return refused end
if not is_member(s, ARGV[2]) and members_full() then return {'too_many_members', MOST_MEMBERS} end
return {'ok', let_in(s, ARGV[2], ARGV[1], '')}
