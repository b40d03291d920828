--@include talk
--@include poster
-- Answer the open question of a task: its holder goes on, with the channel's lease from now.
-- KEYS  the channel's
-- ARGV  API key id, message's stream id, answer, label of who answers
-- reply {'ok', row} | a refusal
local key_id, id, answer = ARGV[1], ARGV[2], ARGV[3]
local s, refused = enter(key_id, 'claimable')
if refused then return refused end
local m, forbidden = posted_by(key_id, id, s)
if forbidden then return forbidden end
local fields, outcome = m.fields, m.outcome
if outcome or redis.call('ZSCORE', DONE, id) then return {'already_finished', outcome or ''} end
local p, r = pending(id), record(id)
if p and due_at(id) <= NOW then
  outcome = settle(id, fields, s, p)
  if outcome then return {'already_finished', outcome} end
  r.asked = nil  -- the lease that stood for it is over
end
local last = r.talk and r.talk[#r.talk]
if r.asked and p then
  last.a, last.a_by, last.a_key, last.a_at = answer, ARGV[4], key_id, NOW
  r.asked = nil
  note_talk(id, s, p, r, NOW + s.lease)
elseif not last or last.a ~= answer or last.a_key ~= key_id then
  return {'not_asked'}
end
return {'ok', task_row(id, fields)}
