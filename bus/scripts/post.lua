--@include channel
-- Put a message on a channel, once per idempotency key.
-- KEYS  the channel's; [19] the idempotency record, when there is a key
-- ARGV  API key id, wanted mode or '', delay ms, fingerprint of the body, ms to keep the idempotency record, field, value, …
-- reply {'new', id, expires ms, number, delayed until ms} | {'dup', id} | a refusal
local s, refused = enter(ARGV[1], ARGV[2])
if refused then return refused end
local delay, fingerprint = tonumber(ARGV[3]), ARGV[4]
if KEYS[19] then
  local before = redis.call('GET', KEYS[19])
  if before then
    local id, body = string.match(before, '^(%S+) (%S+)$')
    return body == fingerprint and {'dup', id} or {'idempotency_conflict'}
  end
end
local limits = redis.call('HMGET', CHANNEL, 'paused', 'max_messages', 'max_writes_per_minute')
if limits[1] == '1' then return {'channel_paused'} end
if delay > 0 and (s.mode ~= 'claimable' or delay > s.ttl) then return {'invalid_delay', string.format('%.0f', s.ttl)} end
local max_messages = tonumber(limits[2])
if max_messages and s.mode == 'claimable' and redis.call('XLEN', STREAM) - redis.call('ZCARD', DONE) >= max_messages then
  return {'channel_full', max_messages}
end
local per_minute = tonumber(limits[3])
if per_minute then  -- GCRA: one timestamp says how far ahead of an even pace the channel is
  local pace = 60000 / per_minute
  local theoretical = math.max(tonumber(redis.call('GET', WRITES) or 0), NOW)
  if theoretical + pace > NOW + 60000 then
    return {'channel_write_rate_exceeded', string.format('%.0f', theoretical + pace - NOW - 60000)}
  end
  redis.call('SET', WRITES, string.format('%.3f', theoretical + pace), 'PX', 120000)
end
local expires = NOW + s.ttl
local fields = {'_exp', string.format('%.0f', expires)}
local number = 0
if s.mode == 'broadcast' then  -- a running number lets a reader know how many it missed
  number = redis.call('HINCRBY', CHANNEL, 'posted', 1)
  fields[3], fields[4] = '_n', number
end
for i = 6, #ARGV do fields[#fields + 1] = ARGV[i] end
local id = redis.call('XADD', STREAM, '*', unpack(fields))
tell(STREAM, 'xadd')
if delay > 0 then
  redis.pcall('XGROUP', 'CREATE', STREAM, 'workers', '0')  -- BUSYGROUP: it is there, as nearly always
  redis.call('XCLAIM', STREAM, 'workers', NOBODY, 0, id, 'RETRYCOUNT', 0, 'FORCE', 'JUSTID')
  redis.call('ZADD', DUE, NOW + delay, id)
  redis.call('ZADD', PARKED, NOW + delay, id)
  redis.call('SET', AHEAD, id)
elseif max_messages and s.mode == 'broadcast' then
  redis.call('XTRIM', STREAM, 'MAXLEN', max_messages)
end
if KEYS[19] then redis.call('SET', KEYS[19], id .. ' ' .. fingerprint, 'PX', ARGV[5]) end
return {'new', id, string.format('%.0f', expires), number, delay > 0 and string.format('%.0f', NOW + delay) or ''}
