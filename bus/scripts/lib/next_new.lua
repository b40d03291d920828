--@include entry

-- Entries that no one has been handed. A hint: entries removed by hand can make it wrong, and nothing depends on it.
local function unread()
  return redis.call('XLEN', STREAM) - redis.call('ZCARD', DONE) - redis.call('ZCARD', DUE)
end

-- last-delivered-id and entries-read of the group; makes it when it is missing (FLUSHALL, failover, by hand), and then
-- whatever is held or finished already has to be stepped over.
local function group()
  local groups = redis.pcall('XINFO', 'GROUPS', STREAM)  -- no such key: an empty channel
  for _, g in ipairs(groups.err and {} or groups) do
    local info = {}
    for i = 1, #g, 2 do info[g[i]] = g[i + 1] end
    if info['name'] == 'workers' then return info['last-delivered-id'], tonumber(info['entries-read']) end
  end
  redis.call('XGROUP', 'CREATE', STREAM, 'workers', '0', 'MKSTREAM')
  local newest = redis.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)[1]
  if newest then reach_ahead(newest[1]) end
  return '0-0', 0
end

-- Move the group's cursor past entries that were claimed, delayed or finished before it came to them: XREADGROUP >
-- would hand them out again. Returns false when the steps were used up before it was past them, and the steps left.
local function step_cursor(steps)
  local ahead = redis.call('GET', AHEAD)
  if not ahead then return true, steps end
  local last, read = group()
  while steps > 0 do
    local found = is_before(last, ahead) and redis.call('XRANGE', STREAM, '(' .. last, '+', 'COUNT', 1)[1]
    if not found then
      redis.call('DEL', AHEAD)
      return true, steps
    end
    if not (redis.call('ZSCORE', DUE, found[1]) or redis.call('ZSCORE', DONE, found[1])) then return true, steps end
    last, steps = found[1], steps - 1
    read = read and read + 1
    redis.call('XGROUP', 'SETID', STREAM, 'workers', last, 'ENTRIESREAD', read or -1)
  end
  return false, 0
end

-- The next entry nobody has been handed, now pending for the consumer: id, fields. nil when there is none.
local function next_new(consumer)
  -- An empty read makes a record of its reader, so whoever would find nothing reads as nobody.
  local reader = unread() > 0 and consumer or NOBODY
  local reply = redis.pcall('XREADGROUP', 'GROUP', 'workers', reader, 'COUNT', 1, 'STREAMS', STREAM, '>')
  if reply and reply.err then
    group()
    if not step_cursor(1000) then return nil end
    reply = redis.call('XREADGROUP', 'GROUP', 'workers', reader, 'COUNT', 1, 'STREAMS', STREAM, '>')
  end
  -- {{stream, rows}}, or false; fakeredis replies {stream, rows} and {}.
  local rows = reply and (type(reply[1]) == 'table' and reply[1][2] or reply[2])
  if not rows or not rows[1] then return nil end
  local id, fields = rows[1][1], rows[1][2]
  if reader ~= consumer then
    redis.call('XCLAIM', STREAM, 'workers', consumer, 0, id, 'RETRYCOUNT', 1, 'JUSTID')
  end
  return id, fields
end
