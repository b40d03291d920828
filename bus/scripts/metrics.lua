--@include channel
-- How the newest finished tasks of a channel ended, and how long they took; on a broadcast channel, how many were read.
-- KEYS  the channel's
-- ARGV  API key id, how many to look at
-- reply {'ok', now ms, acknowledged, {ms from claim to ack, …}} | a refusal
local s, refused = enter(ARGV[1], '')
if refused then return refused end
local now = string.format('%.0f', NOW)
if s.mode == 'broadcast' then return {'ok', now, redis.call('HLEN', RECEIPTS), {}} end
local acknowledged, took = 0, {}
for _, id in ipairs(redis.call('ZREVRANGE', DONE, 0, ARGV[2] - 1)) do
  -- Matched, not decoded: a result may be large. In what a client wrote these quotes are escaped, so they never match.
  local outcome = redis.call('GETRANGE', RESULT .. id, 0, 16383)
  local head = string.match(outcome, '^(.-),"result":') or outcome
  local state = string.match(head, '"state":"(%a+)"')
  if state == 'done' or state == 'failed' then
    acknowledged = acknowledged + 1
    local claimed, ended = string.match(head, '"claimed_at":(%d+)'), string.match(head, '"at":(%d+)')
    if claimed and ended then took[#took + 1] = ended - claimed end
  end
end
return {'ok', now, acknowledged, took}
