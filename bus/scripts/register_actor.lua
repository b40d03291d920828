--@include actors
-- Make a name an API key's actor, unless it is one already; its owner may change what is said of it. The names of a
-- revoked key are its successor's: two good keys never have one label, so who had this one before is revoked.
-- KEYS  [1] the actors
-- ARGV  name, API key id, its label, description, metadata as JSON text; these two '' when not given, then prefixed by '='
-- reply {'ok', actor's name, actor JSON}, whosever it is
local name, kept = actor(ARGV[1])
local changed = not kept
if kept and kept.key_id ~= ARGV[2] and kept.label == ARGV[3] then
  kept.key_id, kept.updated_ms, changed = ARGV[2], NOW, true
end
kept = kept or {key_id = ARGV[2], label = ARGV[3], description = '', metadata = '{}', created_ms = NOW, updated_ms = NOW}
for i, field in ipairs({'description', 'metadata'}) do
  local value = ARGV[3 + i] ~= '' and string.sub(ARGV[3 + i], 2)
  if value and kept.key_id == ARGV[2] and kept[field] ~= value then
    kept[field], kept.updated_ms, changed = value, NOW, true
  end
end
return {'ok', name, changed and keep_actor(name, kept) or redis.call('HGET', ACTORS, name)}
