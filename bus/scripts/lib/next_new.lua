--@include cursor

-- Entries that no one has been handed. A hint: entries removed by hand can make it wrong, and nothing depends on it.
local function unread()
  return redis.call('XLEN', STREAM) - redis.call('ZCARD', DONE) - redis.call('ZCARD', DUE)
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
