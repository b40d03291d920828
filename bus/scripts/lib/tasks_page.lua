--@include row

local function hidden(id, fields)
  return expires_at(fields) <= NOW and not redis.call('ZSCORE', DONE, id) and not redis.call('ZSCORE', DUE, id)
end

local function wanted(row, status, expiring_before)
  if expiring_before and expires_at(row[2]) >= expiring_before then return false end
  return status == '' or (row[3] == 'waiting' or row[3] == 'delayed') == (status == 'unclaimed')
end

-- Everything after a cursor, in posting order. Returns rows and the id to go on from, which passes what was left out.
local function tasks_after(since, limit, status, expiring_before)
  local rows, last = {}, since
  for _, found in ipairs(redis.call('XRANGE', STREAM, '(' .. since, '+', 'COUNT', limit)) do
    last = found[1]
    local row = not hidden(found[1], found[2]) and task_row(found[1], found[2])
    if row and wanted(row, status, expiring_before) then rows[#rows + 1] = row end
  end
  return rows, last
end
