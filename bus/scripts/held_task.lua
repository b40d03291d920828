--@include held
-- A held task as it stands, for its holder; nothing is renewed.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id
-- reply {'ok', row, now ms} | a refusal
local consumer, id = ARGV[1], ARGV[3]
local h, refused = held(id, consumer, ARGV[2])
if refused then return refused end
local at, fields = due_at(id), entry(id)
if not fields then return {'message_not_found'} end
if h.record.asked and at <= NOW then  -- nobody answered in time
  local outcome = settle(id, fields, h.settings, h.pending)
  if outcome then return {'already_finished', outcome} end
  return {'lease_lost', consumer}
end
local row = in_flight_row(id, fields, consumer, h.pending.count, at, claimed_at(h.record), h.record)
return {'ok', row, string.format('%.0f', NOW)}
