--@include sessions
-- One session.
-- KEYS  [1] the API key's sessions
-- ARGV  session id
-- reply {'ok', session JSON} | {'session_not_found'}
if not session(ARGV[1]) then return {'session_not_found'} end
return {'ok', redis.call('HGET', SESSIONS, ARGV[1])}
