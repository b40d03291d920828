--@include settle
--@include row
--@include poster
-- Take a message back, out of the channel and into its history; a task that nobody holds ends as cancelled.
-- KEYS  the channel's
-- ARGV  API key id, message's stream id, how many numbers of retracted broadcasts to keep
-- reply {'ok', row} | a refusal: message_claimed (holder, lease end ms)
local key_id, id = ARGV[1], ARGV[2]
local s, refused = enter(key_id, '')
if refused then return refused end
local m, forbidden = posted_by(key_id, id, s)
if forbidden then return forbidden end
local fields, outcome = m.fields, m.outcome

if s.mode == 'broadcast' then
  if expires_at(fields) <= NOW then return {'message_expired'} end
  redis.call('XDEL', STREAM, id)
  redis.call('HDEL', RECEIPTS, id)
  add_to_history(id, fields)
  -- Its running number is no longer there to be missed.
  redis.call('ZADD', DONE, field(fields, '_n') or 0, id)
  redis.call('ZREMRANGEBYRANK', DONE, 0, -1 - ARGV[3])
  return {'ok', plain_row(id, fields, '')}
end

local p = pending(id)
local ended = outcome or redis.call('ZSCORE', DONE, id)
if not ended and p and due_at(id) <= NOW then
  outcome = settle(id, fields, s, p)
elseif not ended and not p and expires_at(fields) <= NOW then
  outcome = expire_unclaimed(id, fields, s)
end
if outcome or redis.call('ZSCORE', DONE, id) then
  if not outcome or cjson.decode(outcome).state ~= 'cancelled' then return {'already_finished', outcome or ''} end
  archive({id})  -- called off before: it leaves as well
  return {'ok', finished_row(id, fields or {}, outcome)}
end
if p and p.consumer ~= NOBODY and due_at(id) > NOW then
  return {'message_claimed', p.consumer, string.format('%.0f', due_at(id))}
end
outcome = finish(id, s, 'cancelled', {by = key_id, posted_by = m.key, reason = 'it was taken back', delivery = p and p.count})
archive({id})
return {'ok', finished_row(id, fields, outcome)}
