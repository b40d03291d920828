--@include settle
-- Give outcomes to tasks whose time is up and which nobody asks for; keep the indexes true. Bounded per call.
-- KEYS  the channel's
-- ARGV  how many entries to look at of each kind, how many overdue ones to pass over first, stream id to go on after
-- reply {'ok', finished, overdue looked at, those of them that stay overdue, stream id to go on after or '' at the end} | a refusal
local s = settings()
if not s then return {'channel_not_found'} end
if s.mode ~= 'claimable' then return {'channel_not_claimable'} end
local limit, offset, after = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local finished, overdue_left = 0, 0

local overdue = redis.call('ZRANGE', DUE, '-inf', NOW, 'BYSCORE', 'LIMIT', offset, limit)
for _, id in ipairs(overdue) do
  local fields = entry(id)
  if not fields then
    let_go(id)
  elseif settle(id, fields, s, pending(id) or {consumer = NOBODY, count = last_delivery(id)}) then
    finished = finished + 1
  else
    overdue_left = overdue_left + 1  -- claimable again: the next claim takes it
  end
end

-- Posting order is expiry order as long as a channel's ttl stays: the first one alive ends the walk.
local page = redis.call('XRANGE', STREAM, '(' .. after, '+', 'COUNT', limit)
local last = #page == limit and page[limit][1] or ''
for _, found in ipairs(page) do
  local id, fields = found[1], found[2]
  if expires_at(fields) > NOW then
    last = ''
    break
  end
  if redis.call('ZSCORE', DONE, id) then
    archive({id})
  elseif not redis.call('ZSCORE', DUE, id) then
    if pending(id) then
      redis.call('ZADD', DUE, NOW + s.lease, id)  -- read by hand with XREADGROUP: it gets a lease like any other
    else
      expire_unclaimed(id, fields, s)
      reach_ahead(id)  -- not before: a script of a full store may ask for memory only after it let something go
      finished = finished + 1
    end
  end
end

drop_old_history(limit)
return {'ok', finished, #overdue, overdue_left, last}
