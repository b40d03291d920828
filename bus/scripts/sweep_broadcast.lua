--@include channel
--@include entry
-- Trim a broadcast channel by its time to live, and drop the receipts of what is gone. Bounded per call.
-- KEYS  the channel's
-- ARGV  how many receipts to look at, where the scan of them goes on
-- reply {'ok', trimmed, where the scan goes on ('0' at the end)} | a refusal
local s = settings()
if not s then return {'channel_not_found'} end
if s.mode ~= 'broadcast' then return {'channel_not_broadcast'} end
local trimmed = redis.call('XTRIM', STREAM, 'MINID', '~', string.format('%.0f', NOW - s.ttl))
local first = redis.call('XRANGE', STREAM, '-', '+', 'COUNT', 1)[1]
local scan = redis.call('HSCAN', RECEIPTS, ARGV[2], 'COUNT', ARGV[1])
for i = 1, #scan[2], 2 do
  if not first or is_before(scan[2][i], first[1]) then redis.call('HDEL', RECEIPTS, scan[2][i]) end
end
return {'ok', trimmed, scan[1]}
