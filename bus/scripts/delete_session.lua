--@include sessions
-- Forget a session.
-- KEYS  [1] the API key's sessions
-- ARGV  session id
-- reply {'ok'} | {'session_not_found'}
if not session(ARGV[1]) then return {'session_not_found'} end
redis.call('HDEL', SESSIONS, ARGV[1])
return {'ok'}
