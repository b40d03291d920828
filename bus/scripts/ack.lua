--@include held
-- Finish a held task: done or failed, with a result.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id, done | failed, result JSON or '', reason or ''
-- reply {'ok', repeated (0|1), row} | a refusal
local consumer, token, id = ARGV[1], ARGV[2], ARGV[3]
local h, refused = held(id, consumer, token)
if refused then
  -- The answer to an ack may have been lost: the same holder asking again gets it again.
  if refused[1] == 'already_finished' and refused[2] ~= '' then
    local o = cjson.decode(refused[2])
    if o.by == consumer and (o.state == 'done' or o.state == 'failed') and (token == '' or o.delivery == tonumber(token)) then
      return {'ok', 1, finished_row(id, entry(id) or {}, refused[2])}
    end
  end
  return refused
end
local outcome = finish(id, h.settings, ARGV[4], {
  by = consumer, delivery = h.pending.count, claimed_at = claimed_at(h.record), posted_by = h.record.posted_by,
  result = ARGV[5], reason = ARGV[6]
})
return {'ok', 0, finished_row(id, entry(id) or {}, outcome)}
