--@include sessions
-- Merge the top level of a state into a session's.
-- KEYS  [1] the API key's sessions
-- ARGV  session id, changes as JSON of texts, bytes that a state may have
-- reply {'ok', session JSON} | {'session_not_found'} | {'state_too_large', bytes it would have, bytes it may have}
local kept = session(ARGV[1])
if not kept then return {'session_not_found'} end
for name, text in pairs(cjson.decode(ARGV[2])) do kept.state[name] = text end
local bytes = 1  -- {"name":value,"name":value}
for name, text in pairs(kept.state) do bytes = bytes + #cjson.encode(name) + #text + 2 end
if bytes > tonumber(ARGV[3]) then return {'state_too_large', bytes, tonumber(ARGV[3])} end
kept.updated = NOW
local merged = cjson.encode(kept)
redis.call('HSET', SESSIONS, ARGV[1], merged)
return {'ok', merged}
