--@include row

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
