--@include channel
--@include entry
-- A read receipt on a broadcast message, once per actor.
-- KEYS  the channel's
-- ARGV  API key id, actor, message's stream id
-- reply {'ok', repeated (0|1)} | a refusal
local s, refused = enter(ARGV[1], 'broadcast')
if refused then return refused end
local fields = entry(ARGV[3])
if not fields then return {'message_not_found'} end
if expires_at(fields) <= NOW then return {'message_expired'} end
local kept = redis.call('HGET', RECEIPTS, ARGV[3])
local receipts = kept and cjson.decode(kept) or {}
for _, receipt in ipairs(receipts) do
  if receipt.actor == ARGV[2] then return {'ok', 1} end
end
receipts[#receipts + 1] = {actor = ARGV[2], at = NOW}
redis.call('HSET', RECEIPTS, ARGV[3], cjson.encode(receipts))
return {'ok', 0}
