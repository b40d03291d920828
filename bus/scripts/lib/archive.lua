--@include history

-- Finished tasks that stay in the stream, and how many more there are before those leave it: together, because one by one
-- each ack would pay for the dozen commands that this takes.
local DONE_LIMIT = 100
local DONE_MORE = 16

-- Out of the stream and into the history.
local function archive(ids)
  local written, count = 0, 0
  redis.call('ZREM', DONE, unpack(ids))
  for _, id in ipairs(ids) do
    local fields = entry(id)
    if fields then
      written, count = written + write_history(id, fields, redis.call('GET', RESULT .. id)), count + 1
    end
  end
  redis.call('XDEL', STREAM, unpack(ids))
  if count > 0 then bound_history(written, count) end
end

local function archive_oldest_done()
  if redis.call('ZCARD', DONE) >= DONE_LIMIT + DONE_MORE then archive(redis.call('ZRANGE', DONE, 0, DONE_MORE - 1)) end
end
