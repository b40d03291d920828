--@include entry

-- What left the stream, and how much of it is kept.
local HISTORY_COUNT = 1000
local HISTORY_BYTES = 16 * 1024 * 1024

local function size_of(fields)
  local bytes = 0
  for i = 1, #fields do bytes = bytes + #fields[i] end
  return bytes
end

-- The oldest go; how many bytes those were.
local function drop_oldest_history(count)
  local ids, bytes = {}, 0
  for i, oldest in ipairs(redis.call('XRANGE', HISTORY, '-', '+', 'COUNT', count)) do
    ids[i], bytes = oldest[1], bytes + size_of(oldest[2])
  end
  if not ids[1] then return 0 end
  redis.call('XDEL', HISTORY, unpack(ids))
  redis.call('HINCRBY', CHANNEL, 'history_bytes', -bytes)
  return bytes
end

-- What has been kept for as long as the channel keeps it, at most `steps` of it.
local function drop_old_history(steps)
  local kept_since = NOW - (tonumber(redis.call('HGET', CHANNEL, 'retention_ms')) or math.huge)
  for _ = 1, steps do
    local oldest = redis.call('XRANGE', HISTORY, '-', '+', 'COUNT', 1)[1]
    if not oldest or tonumber(string.match(oldest[1], '^%d+')) > kept_since then return end
    drop_oldest_history(1)
  end
end

-- Its bytes. Whoever wrote bounds the history after.
local function write_history(id, fields, outcome)
  local row = {'_id', id, '_outcome', outcome or '', '_archived_at', string.format('%.0f', NOW)}
  for i = 1, #fields do row[#row + 1] = fields[i] end
  redis.call('XADD', HISTORY, '*', unpack(row))
  return size_of(row)
end

-- Two steps for each that was written keep up with what comes in; the bounds hold without ever doing unbounded work.
local function bound_history(written, count)
  local bytes, steps = redis.call('HINCRBY', CHANNEL, 'history_bytes', written), 2 * count
  local over = math.min(redis.call('XLEN', HISTORY) - HISTORY_COUNT, steps)
  if over > 0 then bytes, steps = bytes - drop_oldest_history(over), steps - over end
  while bytes > HISTORY_BYTES and steps > 0 do
    local dropped = drop_oldest_history(1)
    if dropped == 0 then return end
    bytes, steps = bytes - dropped, steps - 1
  end
end

local function add_to_history(id, fields, outcome)
  bound_history(write_history(id, fields, outcome), 1)
end
