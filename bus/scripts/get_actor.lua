--@include actors
-- The actor of a name or alias.
-- KEYS  [1] the actors
-- ARGV  name
-- reply {'ok', actor's name, actor JSON} | {'actor_not_found'}
local name, kept = actor(ARGV[1])
if not kept then return {'actor_not_found'} end
return {'ok', name, redis.call('HGET', ACTORS, name)}
