--@include channel
-- How many messages stand where; a lease that ran out leaves its task waiting.
-- KEYS  the channel's
-- ARGV  API key id
-- reply {'ok', mode, total, waiting, delayed, in flight, done, dead, next due ms or '', owner's key id} | a refusal
local s, refused = enter(ARGV[1], '')
if refused then return refused end
local total = redis.call('XLEN', STREAM)
if s.mode == 'broadcast' then return {'ok', s.mode, total, 0, 0, 0, 0, 0, '', s.owner} end
local done, due = redis.call('ZCARD', DONE), redis.call('ZCARD', DUE)
local overdue = redis.call('ZCOUNT', DUE, '-inf', NOW)
local delayed = redis.call('ZCOUNT', PARKED, '(' .. string.format('%.0f', NOW), '+inf')
local next_due = redis.call('ZRANGE', DUE, '(' .. string.format('%.0f', NOW), '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
return {
  'ok', s.mode, total, total - done - due + overdue, delayed, due - overdue - delayed, done, redis.call('XLEN', DEAD),
  next_due[2] or '', s.owner
}
