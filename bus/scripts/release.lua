--@include park
-- Give a held task back, not counted against its deliveries.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id, delay ms, reason or ''
-- reply {'ok', row} | a refusal
local id = ARGV[3]
local h, refused = held(id, ARGV[1], ARGV[2])
if refused then return refused end
h.record.releases = h.record.releases + 1
close_delivery(h.record, 'released', ARGV[5])
park(id, h.pending.count, NOW + tonumber(ARGV[4]), h.record)
return {'ok', task_row(id, entry(id))}
