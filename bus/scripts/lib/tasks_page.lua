--@include row
--@include cursor

local function hidden(id, fields)
  return expires_at(fields) <= NOW and not redis.call('ZSCORE', DONE, id) and not redis.call('ZSCORE', DUE, id)
end

local function wanted(row, status)
  return status == '' or (row[3] == 'waiting' or row[3] == 'delayed') == (status == 'unclaimed')
end

-- Everything after a cursor, in posting order. Returns rows and the id to go on from, which passes what was left out.
local function tasks_after(since, limit, status)
  local rows, last = {}, since
  for _, found in ipairs(redis.call('XRANGE', STREAM, '(' .. since, '+', 'COUNT', limit)) do
    last = found[1]
    local row = not hidden(found[1], found[2]) and task_row(found[1], found[2])
    if row and wanted(row, status) then rows[#rows + 1] = row end
  end
  return rows, last
end

local function oldest_waiting(limit)
  local ids = redis.call('ZRANGE', DUE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, limit)
  local last = group()
  for _, found in ipairs(redis.call('XRANGE', STREAM, '(' .. last, '+', 'COUNT', limit)) do
    local id, fields = found[1], found[2]
    local taken = redis.call('ZSCORE', DUE, id) or redis.call('ZSCORE', DONE, id)
    if #ids < limit and not taken and expires_at(fields) > NOW then ids[#ids + 1] = id end
  end
  return ids
end

local function newest_taken(limit)
  local ids = redis.call('ZREVRANGE', DONE, 0, limit - 1)
  for _, id in ipairs(redis.call('ZRANGE', DUE, '+inf', '(' .. NOW, 'BYSCORE', 'REV', 'LIMIT', 0, limit)) do
    if not redis.call('ZSCORE', PARKED, id) then ids[#ids + 1] = id end
  end
  table.sort(ids, function(a, b) return is_before(b, a) end)
  return ids
end

-- What matters now: half the page the oldest waiting tasks, half the newest held or finished ones (either half takes
-- what the other leaves free), sorted by id.
local function tasks_now(limit, status)
  local free = status ~= 'claimed' and oldest_waiting(limit) or {}
  local taken = status ~= 'unclaimed' and newest_taken(limit) or {}
  local of_free = math.min(#free, math.max(math.ceil(limit / 2), limit - #taken))
  local ids = {}
  for i = 1, of_free do ids[#ids + 1] = free[i] end
  for i = 1, math.min(#taken, limit - of_free) do ids[#ids + 1] = taken[i] end
  table.sort(ids, is_before)
  local rows = {}
  for _, id in ipairs(ids) do
    local fields = entry(id)
    if fields then rows[#rows + 1] = task_row(id, fields) end
  end
  return rows, ids[#ids] or ''
end
