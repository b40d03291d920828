--@include pace
--@include notices
--@include workers
-- Put a message on a channel, once per idempotency key.
-- KEYS  the channel's; EXTRA, the idempotency record, when there is a key
-- ARGV  API key id, wanted mode or '', delay ms, fingerprint of the body, ms to keep the idempotency record,
--       who is mentioned {{actor, API key id}, …} as JSON or '', SHA-1 of the schema that the metadata fit or '', field, value, …
-- reply {'new', id, expires ms, number, delayed until ms, mentioned readers as JSON, webhooks to tell (0|1), of a task
--       {how many wait for one, how many work here of late, last ms}, else ''} | {'dup', id} |
--       {'schema', SHA-1, text} when the metadata were not checked against this one: nothing was stored | a refusal
local s, refused = enter(ARGV[1], ARGV[2])
if refused then return refused end
local delay, fingerprint = tonumber(ARGV[3]), ARGV[4]
if EXTRA then
  local before = redis.call('GET', EXTRA)
  if before and not of_an_older(s, before) then
    local id, body = string.match(before, '^(%S+) (%S+)$')
    return body == fingerprint and {'dup', id} or {'idempotency_conflict'}
  end
end
local limits = redis.call('HMGET', CHANNEL, 'paused', 'max_messages', 'max_writes_per_minute', 'schema_sha')
if limits[1] == '1' then return {'channel_paused'} end
local sha = limits[4]
if sha and sha ~= '' and sha ~= ARGV[7] then return {'schema', sha, redis.call('HGET', CHANNEL, 'metadata_schema')} end
if delay > 0 and (s.mode ~= 'claimable' or delay > s.ttl) then return {'invalid_delay', string.format('%.0f', s.ttl)} end
local max_messages = tonumber(limits[2])
if max_messages and s.mode == 'claimable' and redis.call('XLEN', STREAM) - redis.call('ZCARD', DONE) >= max_messages then
  return {'channel_full', max_messages}
end
local per_minute = tonumber(limits[3])
if per_minute then
  local _, wait_ms = take(WRITES, per_minute, 60000, 1)
  if wait_ms > 0 then return {'channel_write_rate_exceeded', string.format('%.0f', wait_ms)} end
end
local expires = NOW + s.ttl
local fields = {'_exp', string.format('%.0f', expires)}
local number = 0
if s.mode == 'broadcast' then  -- a running number lets a reader know how many it missed
  number = redis.call('HINCRBY', CHANNEL, 'posted', 1)
  fields[3], fields[4] = '_n', number
end
for i = 8, #ARGV do fields[#fields + 1] = ARGV[i] end
local mentions = readers(s, ARGV[6])
if mentions ~= '' then fields[#fields + 1], fields[#fields + 2] = 'mentions', mentions end
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
if EXTRA then redis.call('SET', EXTRA, id .. ' ' .. fingerprint, 'PX', ARGV[5]) end
local available = delay > 0 and string.format('%.0f', NOW + delay) or ''
local working = s.mode == 'claimable' and workers() or ''
return {'new', id, string.format('%.0f', expires), number, available, mentions, note_post(id, mentions), working}
