--@include settle
--@include row
--@include workers
-- Hand one given task to a consumer.
-- KEYS  the channel's
-- ARGV  API key id, consumer, lease ms or '' for the channel's, message's stream id
-- reply {'ok', held before (0|1), row} | a refusal: already_claimed (holder, lease end ms), not_available_yet (ms),
--       already_finished (outcome JSON, 1 when by this consumer), message_expired, message_not_found
local s, refused = enter(ARGV[1], 'claimable')
if refused then return refused end
local consumer, id = ARGV[2], ARGV[4]
local until_ms = NOW + (tonumber(ARGV[3]) or s.lease)
local fields = entry(id)
local outcome = outcome_of(id, s)
if outcome and cjson.decode(outcome).by == consumer then return {'already_finished', outcome, 1} end
if outcome or redis.call('ZSCORE', DONE, id) then return {'already_finished', outcome or ''} end
if not fields then return {'message_not_found'} end

local p = pending(id)
if not p then
  if expires_at(fields) <= NOW then
    reach_ahead(id)
    expire_unclaimed(id, fields, s)
    return {'message_expired'}
  end
  redis.pcall('XGROUP', 'CREATE', STREAM, 'workers', '0')  -- BUSYGROUP: it is there, as nearly always
  redis.call('XCLAIM', STREAM, 'workers', consumer, 0, id, 'RETRYCOUNT', 1, 'FORCE', 'JUSTID')
  redis.call('ZADD', DUE, until_ms, id)
  reach_ahead(id)
  note_first_delivery(id, fields, consumer)
  note_worker(consumer)
  return {'ok', 0, in_flight_row(id, fields, consumer, 1, until_ms, NOW)}
end

local at = due_at(id)
if at > NOW then
  if p.consumer == NOBODY then return {'not_available_yet', string.format('%.0f', at)} end
  if p.consumer ~= consumer then return {'already_claimed', p.consumer, string.format('%.0f', at)} end
  return {'ok', 1, task_row(id, fields)}
end
local ended, r = settle(id, fields, s, p)
if ended then return {cjson.decode(ended).state == 'expired' and 'message_expired' or 'already_finished', ended} end
redis.call('XCLAIM', STREAM, 'workers', consumer, 0, id, 'RETRYCOUNT', p.count + 1, 'JUSTID')
redis.call('ZADD', DUE, until_ms, id)
redis.call('ZREM', PARKED, id)
note_delivery(id, fields, r, consumer, p.count + 1)
note_worker(consumer)
return {'ok', 0, in_flight_row(id, fields, consumer, p.count + 1, until_ms, NOW, r)}
