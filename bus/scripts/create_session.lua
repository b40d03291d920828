--@include sessions
-- Keep a new session.
-- KEYS  [1] the API key's sessions
-- ARGV  session id, its name, state as JSON of texts, ms it lives, how many sessions an API key may have
-- reply {'ok', session JSON} | {'too_many_sessions', how many}
local lives, most = tonumber(ARGV[4]), tonumber(ARGV[5])
forget_expired()
if redis.call('HLEN', SESSIONS) >= most then return {'too_many_sessions', most} end
local kept = cjson.encode({
  id = ARGV[1], name = ARGV[2], state = cjson.decode(ARGV[3]), created = NOW, updated = NOW, expires = NOW + lives
})
redis.call('HSET', SESSIONS, ARGV[1], kept)
redis.call('PEXPIRE', SESSIONS, lives)
return {'ok', kept}
