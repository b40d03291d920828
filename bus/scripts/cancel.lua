--@include settle
--@include row
--@include poster
-- Call a task off: at once when nobody works on it, else by asking its holder.
-- KEYS  the channel's
-- ARGV  API key id, message's stream id, reason or ''
-- reply {'ok', row} | a refusal
local key_id, id, reason = ARGV[1], ARGV[2], ARGV[3]
local s, refused = enter(key_id, 'claimable')
if refused then return refused end
local m, forbidden = posted_by(key_id, id, s)
if forbidden then return forbidden end
local fields, outcome = m.fields, m.outcome
if outcome or redis.call('ZSCORE', DONE, id) then
  if outcome and cjson.decode(outcome).state == 'cancelled' then return {'ok', finished_row(id, fields or {}, outcome)} end
  return {'already_finished', outcome or ''}
end
local p, r = pending(id), record(id)
if p and holder(p) and due_at(id) > NOW and not r.asked then
  r.cancel = r.cancel or {by = key_id, at = NOW, reason = reason}
  keep_record(id, r)
  return {'ok', task_row(id, fields)}
end
if not p then reach_ahead(id) end
local text = finish(id, s, 'cancelled', {
  by = key_id, posted_by = m.key, reason = reason, delivery = p and p.count, claimed_at = claimed_at(r), held_by = p and holder(p)
})
return {'ok', finished_row(id, fields, text)}
