--@include record

-- A message as scripts reply it:
-- {id, fields, state, at, consumer, count, claimed_at, cancel_requested, outcome JSON}; '' and 0 where nothing is known.
-- `at`: end of the lease (in_flight) or of the delay (delayed), in ms.
local function in_flight_row(id, fields, consumer, count, lease_end, since, cancel)
  return {id, fields, 'in_flight', string.format('%.0f', lease_end), consumer, count, string.format('%.0f', since or 0), cancel and 1 or 0, ''}
end

local function plain_row(id, fields, state, at, count)
  return {id, fields, state, string.format('%.0f', at or 0), '', count or 0, '0', 0, ''}
end

local function finished_row(id, fields, outcome)
  return {id, fields, 'finished', '0', '', 0, '0', 0, outcome or ''}
end

-- A lease that ran out leaves its task claimable: it is waiting again.
local function task_row(id, fields)
  if redis.call('ZSCORE', DONE, id) then return finished_row(id, fields, redis.call('GET', RESULT .. id)) end
  local p = pending(id)
  if not p then return plain_row(id, fields, 'waiting') end
  local at = due_at(id)
  if at <= NOW then return plain_row(id, fields, 'waiting', 0, p.count) end
  if p.consumer == NOBODY then return plain_row(id, fields, 'delayed', at, p.count) end
  local r = record(id)
  return in_flight_row(id, fields, p.consumer, p.count, at, claimed_at(r), r.cancel)
end
