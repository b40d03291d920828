--@include actors
-- Give an actor another name, for the API key it belongs to. Again changes nothing.
-- KEYS  [1] the actors
-- ARGV  name, API key id, alias, how many aliases an actor may have
-- reply {'ok', actor's name, actor JSON} | {'actor_not_found'} | {'actor_forbidden'} | {'alias_conflict', whose it is}
--       | {'too_many_aliases', how many}
local name, kept = actor(ARGV[1])
local alias, most = ARGV[3], tonumber(ARGV[4])
if not kept then return {'actor_not_found'} end
if kept.key_id ~= ARGV[2] then return {'actor_forbidden'} end
local taken_by, taken = actor(alias)
if taken then
  if taken_by ~= name or alias == name then return {'alias_conflict', taken_by} end
  return {'ok', name, redis.call('HGET', ACTORS, name)}
end
kept.aliases = kept.aliases or {}
if #kept.aliases >= most then return {'too_many_aliases', most} end
table.insert(kept.aliases, alias)
kept.updated_ms = NOW
redis.call('HSET', ACTORS, alias, cjson.encode({alias_of = name}))
return {'ok', name, keep_actor(name, kept)}
