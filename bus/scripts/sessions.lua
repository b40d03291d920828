--@include sessions
-- The live sessions of an API key.
-- KEYS  [1] the API key's sessions
-- ARGV  none
-- reply {'ok', {session JSON, …}}
forget_expired()
return {'ok', redis.call('HVALS', SESSIONS)}
