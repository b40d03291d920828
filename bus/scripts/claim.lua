--@include settle
--@include row
--@include next_new
--@include workers
-- Hand the next task to a consumer: first what can be claimed again, then what is new.
-- KEYS  the channel's
-- ARGV  API key id, consumer, lease ms or '' for the channel's, steps that this call may take, ms for which the consumer
--       waits if there is none (absent or 0: it does not), 1 when it leaves those who wait if there is one
-- reply {'ok', more (0|1), row} | {'none', now ms, next due ms or ''} | {'again'} when the steps were used up | a refusal
local s, refused = enter(ARGV[1], 'claimable')
if refused then return refused end
local consumer, steps, wait_ms, leaves = ARGV[2], tonumber(ARGV[4]), tonumber(ARGV[5]) or 0, ARGV[6] == '1'
local until_ms = NOW + (tonumber(ARGV[3]) or s.lease)

local function due_now()
  return redis.call('ZRANGE', DUE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, 1)[1]
end

local id = due_now()
while id and steps > 0 do
  local fields, p = entry(id), pending(id)
  if not fields then
    let_go(id)  -- deleted by hand: only the index still knew it
  else
    p = p or {consumer = NOBODY, count = last_delivery(id)}  -- acked by hand, yet unfinished: FORCE brings it back
    local outcome, r = settle(id, fields, s, p)
    if not outcome then
      redis.call('XCLAIM', STREAM, 'workers', consumer, 0, id, 'RETRYCOUNT', p.count + 1, 'FORCE', 'JUSTID')
      redis.call('ZADD', DUE, until_ms, id)
      redis.call('ZREM', PARKED, id)
      note_delivery(id, fields, r, consumer, p.count + 1)
      got_work(consumer, leaves)
      local more = (due_now() or unread() > 0) and 1 or 0
      return {'ok', more, in_flight_row(id, fields, consumer, p.count + 1, until_ms, NOW, r)}
    end
  end
  steps = steps - 1
  id = due_now()
end

while steps > 0 do
  local passed
  passed, steps = step_cursor(steps)
  if not passed then break end
  local new_id, fields = next_new(consumer)
  if not new_id then
    found_none(consumer, wait_ms)
    local next_due = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
    return {'none', string.format('%.0f', NOW), next_due[2] or ''}
  end
  if expires_at(fields) > NOW then
    redis.call('ZADD', DUE, until_ms, new_id)
    note_first_delivery(new_id, fields, consumer)
    got_work(consumer, leaves)
    return {'ok', unread() > 0 and 1 or 0, in_flight_row(new_id, fields, consumer, 1, until_ms, NOW)}
  end
  expire_unclaimed(new_id, fields, s)
  steps = steps - 1
end
return {'again'}
