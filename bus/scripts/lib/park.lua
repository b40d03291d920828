--@include held
--@include say

-- Nobody's until `at`; the delivery number stays, it is the fence. Rings the bell: no XADD tells of this.
local function park(id, count, at, r)
  redis.call('XCLAIM', STREAM, 'workers', NOBODY, 0, id, 'RETRYCOUNT', count, 'JUSTID')
  redis.call('ZADD', DUE, at, id)
  redis.call('ZADD', PARKED, at, id)
  if r.asked then
    r.asked = nil
    say(id, '{}', 60000)
  else
    redis.call('DEL', PROGRESS .. id)
  end
  keep_record(id, r)
  redis.call('SET', BELL, string.format('%.0f', NOW), 'PX', 60000)
  tell(BELL, 'set')
end
