--@include clock
-- Where an actor was mentioned, oldest first.
-- KEYS  [1] the actor's mentions
-- ARGV  stream id to go on after, ms that mentions are kept
-- reply {{id, {field, value, …}}, …}
local found = {}
for _, one in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+')) do
  if tonumber(string.match(one[1], '^%d+')) > NOW - ARGV[2] then found[#found + 1] = one end
end
return found
