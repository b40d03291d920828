--@include row
--@include cursor

-- What one look at the channel may take, to find what it wants among what it does not.
local PAGES, PAGE = 8, 50

-- The group's cursor moves first: whoever only claims by id, as the published client does, leaves it behind.
local function oldest_waiting(limit)
  local ids = redis.call('ZRANGE', DUE, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, limit)
  local last, read = group()
  last = select(3, step_from(last, read, 256))
  for _ = 1, PAGES do
    local page = redis.call('XRANGE', STREAM, '(' .. last, '+', 'COUNT', math.max(limit, PAGE))
    for _, found in ipairs(page) do
      local id, fields = found[1], found[2]
      local taken = redis.call('ZSCORE', DUE, id) or redis.call('ZSCORE', DONE, id)
      if #ids < limit and not taken and expires_at(fields) > NOW then ids[#ids + 1] = id end
      last = id
    end
    if #page < PAGE or #ids >= limit then break end
  end
  return ids
end

-- Held tasks, those first whose leases end last; delayed ones stand between them in the same index. Whole pages are taken:
-- where times are equal, an index puts `…-10` before `…-9`.
local function newest_taken(limit)
  local size = math.max(limit, PAGE)
  local ids = redis.call('ZREVRANGE', DONE, 0, size - 1)
  local wanted = #ids + limit
  for n = 0, PAGES - 1 do
    local page = redis.call('ZRANGE', DUE, '+inf', '(' .. NOW, 'BYSCORE', 'REV', 'LIMIT', n * size, size)
    for _, id in ipairs(page) do
      if not redis.call('ZSCORE', PARKED, id) then ids[#ids + 1] = id end
    end
    if #page < size or #ids >= wanted then break end
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
