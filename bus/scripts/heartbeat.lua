--@include held
-- Renew the lease of a held task.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id, lease ms or '' for the channel's
-- reply {'ok', row} | a refusal
local consumer, id = ARGV[1], ARGV[3]
local h, refused = held(id, consumer, ARGV[2])
if refused then return refused end
local until_ms = NOW + (tonumber(ARGV[4]) or h.settings.lease)
redis.call('XCLAIM', STREAM, 'workers', consumer, 0, id, 'RETRYCOUNT', h.pending.count, 'JUSTID')  -- idle time starts anew
redis.call('ZADD', DUE, until_ms, id)
return {'ok', in_flight_row(id, entry(id), consumer, h.pending.count, until_ms, claimed_at(h.record), h.record)}
