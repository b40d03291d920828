--@include entry

-- Finished tasks that stay in the stream, and how much of what left it is kept.
local DONE_LIMIT = 100
local HISTORY_COUNT = 1000
local HISTORY_BYTES = 16 * 1024 * 1024

local function size_of(fields)
  local bytes = 0
  for i = 1, #fields do bytes = bytes + #fields[i] end
  return bytes
end

local function drop_oldest_history()
  local oldest = redis.call('XRANGE', HISTORY, '-', '+', 'COUNT', 1)[1]
  if not oldest then return false end
  redis.call('XDEL', HISTORY, oldest[1])
  redis.call('HINCRBY', CHANNEL, 'history_bytes', -size_of(oldest[2]))
  return true
end

-- What has been kept for as long as the channel keeps it, at most `steps` of it.
local function drop_old_history(steps)
  local kept_since = NOW - (tonumber(redis.call('HGET', CHANNEL, 'retention_ms')) or math.huge)
  for _ = 1, steps do
    local oldest = redis.call('XRANGE', HISTORY, '-', '+', 'COUNT', 1)[1]
    if not oldest or tonumber(string.match(oldest[1], '^%d+')) > kept_since then return end
    drop_oldest_history()
  end
end

local function add_to_history(id, fields, outcome)
  local row = {'_id', id, '_outcome', outcome or '', '_archived_at', string.format('%.0f', NOW)}
  for i = 1, #fields do row[#row + 1] = fields[i] end
  redis.call('XADD', HISTORY, '*', unpack(row))
  local bytes = redis.call('HINCRBY', CHANNEL, 'history_bytes', size_of(row))
  -- Two steps a call keep up with what comes in; the bounds hold without ever doing unbounded work.
  for _ = 1, 2 do
    if bytes <= HISTORY_BYTES and redis.call('XLEN', HISTORY) <= HISTORY_COUNT then return end
    if not drop_oldest_history() then return end
    bytes = tonumber(redis.call('HGET', CHANNEL, 'history_bytes'))
  end
end

local function archive(id)
  local fields = entry(id)
  redis.call('ZREM', DONE, id)
  if fields then
    redis.call('XDEL', STREAM, id)
    add_to_history(id, fields, redis.call('GET', RESULT .. id))
  end
end

-- Move what is over the limit, oldest first, at most `steps` of it.
local function archive_oldest_done(steps)
  for _ = 1, steps do
    if redis.call('ZCARD', DONE) <= DONE_LIMIT then return end
    archive(redis.call('ZRANGE', DONE, 0, 0)[1])
  end
end
