--@include record

-- A message as scripts reply it:
-- {id, fields, state, at, consumer, count, claimed_at, cancel_requested, outcome JSON, course JSON, progress JSON}; '' and
-- 0 where nothing is known. `at`: end of the lease (in_flight, input_required) or of the delay (delayed), in ms.
-- Course: {stale, talk}, as far as there is any of it.
local STALE_MS = 1800000

local function course(r)
  if not r then return '' end
  local stale = not r.asked and NOW - math.max(r.touched or 0, claimed_at(r) or NOW) > STALE_MS or nil
  return (stale or r.talk) and cjson.encode({stale = stale, talk = r.talk}) or ''
end

-- `r` nil: just handed out for the first time, so nothing has happened to it.
local function in_flight_row(id, fields, consumer, count, lease_end, since, r)
  return {
    id, fields, r and r.asked and 'input_required' or 'in_flight', string.format('%.0f', lease_end), consumer, count,
    string.format('%.0f', since or 0), r and r.cancel and 1 or 0, '', course(r), r and redis.call('GET', PROGRESS .. id) or ''
  }
end

local function plain_row(id, fields, state, at, count, r)
  return {id, fields, state, string.format('%.0f', at or 0), '', count or 0, '0', 0, '', course(r), ''}
end

local function finished_row(id, fields, outcome)
  return {id, fields, 'finished', '0', '', 0, '0', 0, outcome or '', '', ''}
end

-- A lease that ran out leaves its task claimable: it is waiting again.
local function task_row(id, fields)
  if redis.call('ZSCORE', DONE, id) then return finished_row(id, fields, redis.call('GET', RESULT .. id)) end
  local p = pending(id)
  if not p then return plain_row(id, fields, 'waiting') end
  local at = due_at(id)
  local r = record(id)
  if at <= NOW then return plain_row(id, fields, 'waiting', 0, p.count, r) end
  if p.consumer == NOBODY then return plain_row(id, fields, 'delayed', at, p.count, r) end
  return in_flight_row(id, fields, p.consumer, p.count, at, claimed_at(r), r)
end
