--@include entry

-- last-delivered-id and entries-read of the group; nil when there is none: nothing was handed out (or FLUSHALL, failover,
-- by hand).
local function group_stands()
  local groups = redis.pcall('XINFO', 'GROUPS', STREAM)  -- no such key: an empty channel
  for _, g in ipairs(groups.err and {} or groups) do
    local info = {}
    for i = 1, #g, 2 do info[g[i]] = g[i + 1] end
    if info['name'] == 'workers' then return info['last-delivered-id'], tonumber(info['entries-read']) end
  end
  return nil
end

-- The same; makes the group when it is missing, and then whatever is held or finished already has to be stepped over.
local function group()
  local last, read = group_stands()
  if last then return last, read end
  redis.call('XGROUP', 'CREATE', STREAM, 'workers', '0', 'MKSTREAM')
  local newest = redis.call('XREVRANGE', STREAM, '+', '-', 'COUNT', 1)[1]
  if newest then reach_ahead(newest[1]) end
  return '0-0', 0
end

-- Move the group's cursor, which stands at `last`, past entries that were claimed, delayed or finished before it came to
-- them: XREADGROUP > would hand them out again. Returns false when the steps were used up before it was past them, the
-- steps left, and where it stands now.
local function step_from(last, read, steps)
  local ahead = redis.call('GET', AHEAD)
  while ahead and steps > 0 do
    local found = is_before(last, ahead) and redis.call('XRANGE', STREAM, '(' .. last, '+', 'COUNT', 1)[1]
    if not found then
      redis.call('DEL', AHEAD)
      return true, steps, last
    end
    if not (redis.call('ZSCORE', DUE, found[1]) or redis.call('ZSCORE', DONE, found[1])) then return true, steps, last end
    last, steps = found[1], steps - 1
    read = read and read + 1
    redis.call('XGROUP', 'SETID', STREAM, 'workers', last, 'ENTRIESREAD', read or -1)
  end
  return not ahead, steps, last
end

-- `step_from` where the cursor is, which is only asked for when there is something to step over.
local function step_cursor(steps)
  if redis.call('EXISTS', AHEAD) == 0 then return true, steps end
  local last, read = group()
  return step_from(last, read, steps)
end
