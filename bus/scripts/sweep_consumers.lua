--@include entry
-- Adopt what was read by hand (pending, but in no index) and forget consumers that hold nothing, workers that were not
-- seen for 30 days or are past the newest 1,000, and waits that were never ended. Bounded per call.
-- KEYS  the channel's
-- ARGV  how many pending entries to look at, ms a consumer must have been idle, lease ms, stream id to go on after
-- reply {'ok', adopted, consumers forgotten, stream id to go on after or '' at the end}
redis.call('ZREMRANGEBYSCORE', CLAIMERS, '-inf', NOW)
redis.call('ZREMRANGEBYSCORE', WORKERS, '-inf', NOW - 2592000000)
redis.call('ZREMRANGEBYRANK', WORKERS, 0, -1001)
local limit = tonumber(ARGV[1])
local page = redis.pcall('XPENDING', STREAM, 'workers', '(' .. ARGV[4], '+', limit)  -- NOGROUP: nothing was handed out
if page.err then return {'ok', 0, 0, ''} end
local adopted, forgotten = 0, 0
for _, p in ipairs(page) do
  if not redis.call('ZSCORE', DUE, p[1]) then
    redis.call('ZADD', DUE, NOW + tonumber(ARGV[3]), p[1])
    adopted = adopted + 1
  end
end
if #page < limit then  -- once a round
  for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', STREAM, 'workers')) do
    local info = {}
    for i = 1, #c, 2 do info[c[i]] = c[i + 1] end
    if info['pending'] == 0 and info['idle'] >= tonumber(ARGV[2]) then
      redis.call('XGROUP', 'DELCONSUMER', STREAM, 'workers', info['name'])
      forgotten = forgotten + 1
    end
  end
end
return {'ok', adopted, forgotten, #page == limit and page[limit][1] or ''}
