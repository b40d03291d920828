--@include talk
-- Ask the poster of a held task; its lease is parked until the task's time to live ends, if it does not last longer.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id, question
-- reply {'ok', row} | a refusal
local consumer, id, question = ARGV[1], ARGV[3], ARGV[4]
local h, refused = held(id, consumer, ARGV[2])
if refused then return refused end
local fields, s, r = entry(id), h.settings, h.record
if not fields then return {'message_not_found'} end
r.talk = r.talk or {}
if not r.asked or r.talk[#r.talk].q ~= question then
  if r.asked then table.remove(r.talk) end
  table.insert(r.talk, {q = question, by = consumer, at = NOW})
  r.asked = 1
  local ends = expires_at(fields)
  note_talk(id, s, h.pending, r, math.max(ends < math.huge and ends or NOW + s.ttl, due_at(id), NOW + s.lease))
end
return {'ok', in_flight_row(id, fields, consumer, h.pending.count, due_at(id), claimed_at(r), r)}
