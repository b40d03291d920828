--@include channel
-- Note one more name of a channel in its settings, or only see whether that may be; for its owner.
-- KEYS  the channel's
-- ARGV  API key id ('' to repair), alias, most aliases, 1 to note it | 0 to see
-- reply {'ok', settings as a flat list} | a refusal: channel_aliases_full (most)
local s = settings()
if not s then return {'channel_not_found'} end
if ARGV[1] ~= '' and s.owner ~= ARGV[1] then return {'forbidden', 'owner'} end
local aliases = cjson.decode(redis.call('HGET', CHANNEL, 'aliases') or '[]')
local known = false
for _, alias in ipairs(aliases) do known = known or alias == ARGV[2] end
if not known then
  if #aliases >= tonumber(ARGV[3]) then return {'channel_aliases_full', ARGV[3]} end
  if ARGV[4] == '1' then
    aliases[#aliases + 1] = ARGV[2]
    redis.call('HSET', CHANNEL, 'aliases', cjson.encode(aliases), 'updated_ms', string.format('%.0f', NOW))
  end
end
return {'ok', redis.call('HGETALL', CHANNEL)}
