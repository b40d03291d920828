--@include held
--@include say
-- Renew the lease of a held task; one that is parked with an open question stays so.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id, lease ms or '' for the channel's, note or '',
--       1 when no thought of the holder's stands behind it, else 0
-- reply {'ok', row} | a refusal
local consumer, id, note = ARGV[1], ARGV[3], ARGV[5]
local h, refused = held(id, consumer, ARGV[2])
if refused then return refused end
local s, r = h.settings, h.record
local until_ms = r.asked and due_at(id) or NOW + (tonumber(ARGV[4]) or s.lease)
redis.call('XCLAIM', STREAM, 'workers', consumer, 0, id, 'RETRYCOUNT', h.pending.count, 'JUSTID')  -- idle time starts anew
redis.call('ZADD', DUE, until_ms, id)
if note ~= '' or ARGV[6] == '0' then
  r.touched = NOW
  keep_record(id, r)
end
if note ~= '' then say(id, cjson.encode({note = note, at = NOW, by = consumer}), s.ttl) end
return {'ok', in_flight_row(id, entry(id), consumer, h.pending.count, until_ms, claimed_at(r), r)}
