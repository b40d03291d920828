--@include settle
--@include row
-- One message as it stands; a task whose time is up is given its outcome first.
-- KEYS  the channel's
-- ARGV  API key id, message's stream id
-- reply {'ok', mode, member (0|1), now ms, row, receipts JSON or ''} | a refusal
local key_id, id = ARGV[1], ARGV[2]
local s, refused = enter(key_id, '')
if refused then return refused end
local fields = entry(id)
local function reply(row, receipts)
  return {'ok', s.mode, is_member(s, key_id) and 1 or 0, string.format('%.0f', NOW), row, receipts or ''}
end
if not fields then
  local outcome = outcome_of(id, s)
  if not outcome then return {'message_not_found'} end
  return reply(finished_row(id, {}, outcome))
end
if s.mode == 'broadcast' then
  if expires_at(fields) <= NOW then return {'message_expired'} end
  return reply(plain_row(id, fields, ''), redis.call('HGET', RECEIPTS, id) or '')
end
if not redis.call('ZSCORE', DONE, id) then
  local p, ended = pending(id), nil
  if p and due_at(id) <= NOW then
    ended = settle(id, fields, s, p)
  elseif not p and expires_at(fields) <= NOW then
    reach_ahead(id)
    ended = expire_unclaimed(id, fields, s)
  end
  if ended then return reply(finished_row(id, fields, ended)) end
end
return reply(task_row(id, fields))
