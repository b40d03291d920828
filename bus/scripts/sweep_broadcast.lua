--@include channel
--@include archive
-- Move what passed its time to live on a broadcast channel into its history, and drop the receipts of what is gone.
-- KEYS  the channel's
-- ARGV  how many messages and receipts to look at, where the scan of receipts goes on
-- reply {'ok', archived, where the scan goes on ('0' at the end)} | a refusal
local s = settings()
if not s then return {'channel_not_found'} end
if s.mode ~= 'broadcast' then return {'channel_not_broadcast'} end
local archived = 0
for _, found in ipairs(redis.call('XRANGE', STREAM, '-', '+', 'COUNT', ARGV[1])) do
  local id, fields = found[1], found[2]
  local ends = tonumber(field(fields, '_exp')) or tonumber(string.match(id, '^%d+')) + s.ttl  -- added by hand
  if ends > NOW then break end
  redis.call('XDEL', STREAM, id)
  add_to_history(id, fields)
  archived = archived + 1
end
drop_old_history(tonumber(ARGV[1]))
local first = redis.call('XRANGE', STREAM, '-', '+', 'COUNT', 1)[1]
local scan = redis.call('HSCAN', RECEIPTS, ARGV[2], 'COUNT', ARGV[1])
for i = 1, #scan[2], 2 do
  if not first or is_before(scan[2][i], first[1]) then redis.call('HDEL', RECEIPTS, scan[2][i]) end
end
return {'ok', archived, scan[1]}
