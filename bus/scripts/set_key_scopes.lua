-- What an API key may do.
-- KEYS  the API key's record
-- ARGV  scopes as a JSON list, '' for all of them; 'narrow' (only scopes it has), or 'set'
-- reply {1, scopes JSON or ''} | {0, scopes JSON} as they stay, when one is asked for that it lacks | nil: no such key, or it was revoked
local kept = redis.call('HMGET', KEYS[1], 'sha256', 'scopes', 'revoked_ms')
if not kept[1] or kept[3] then return false end
if ARGV[2] == 'narrow' and kept[2] then
  local granted = {}
  for _, scope in ipairs(cjson.decode(kept[2])) do granted[scope] = true end
  for _, scope in ipairs(cjson.decode(ARGV[1])) do
    if not granted[scope] then return {0, kept[2]} end
  end
end
if ARGV[1] == '' then
  redis.call('HDEL', KEYS[1], 'scopes')
else
  redis.call('HSET', KEYS[1], 'scopes', ARGV[1])
end
return {1, ARGV[1]}
