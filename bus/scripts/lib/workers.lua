--@include keys
-- Who works the channel: WORKERS, consumer to when it last claimed or asked for a task; CLAIMERS, consumer to until when
-- its wait for one is announced. A script writes here only after it let something go or took it: in a full store it may
-- ask for memory only then. And it writes seldom: this is the hot path, and who asks on end need not fill the log.
local RECENT_MS = 900000

local function note_worker(consumer)
  local seen = tonumber(redis.call('ZSCORE', WORKERS, consumer) or 0)
  if math.abs(NOW - seen) >= 1000 then redis.call('ZADD', WORKERS, NOW, consumer) end
end

-- It got a task. `leaves`: it stood among those who wait, and no other wait of its name is known.
local function got_work(consumer, leaves)
  note_worker(consumer)
  if leaves then redis.call('ZREM', CLAIMERS, consumer) end
end

-- It got none, and waits `ms` for one; 0: it goes away.
local function found_none(consumer, ms)
  note_worker(consumer)
  if ms == 0 then return end
  local announced = tonumber(redis.call('ZSCORE', CLAIMERS, consumer) or 0) - NOW
  if announced < ms * 5 / 6 then redis.call('ZADD', CLAIMERS, NOW + ms, consumer) end
end

-- {how many wait, how many were seen of late, when the last one was}; the last '' when nobody ever was.
local function workers()
  local last = redis.call('ZRANGE', WORKERS, -1, -1, 'WITHSCORES')[2]
  if not last then return {0, 0, ''} end
  if NOW - tonumber(last) > RECENT_MS then return {0, 0, last} end
  return {redis.call('ZCOUNT', CLAIMERS, NOW, '+inf'), redis.call('ZCOUNT', WORKERS, NOW - RECENT_MS, '+inf'), last}
end
