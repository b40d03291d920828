--@include channel
--@include tasks_page
--@include tasks_now
--@include broadcast_page
-- A page of messages.
-- KEYS  the channel's
-- ARGV  API key id, since ('' for none), its running number or '', limit, status or '', reader or '' (keeps its cursor),
--       ms before which a message's time must end or ''
-- reply {'ok', mode, member (0|1), now ms, next cursor, missed, rows, receipts JSON of each row (broadcasts)} | a refusal
local s, refused = enter(ARGV[1], '')
if refused then return refused end
local since, number, limit, status, reader = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
local expiring_before = tonumber(ARGV[7])
local member, now = is_member(s, ARGV[1]) and 1 or 0, string.format('%.0f', NOW)

if s.mode == 'claimable' then
  local rows, last
  if since == '' and not expiring_before then
    rows, last = tasks_now(limit, status)
  else  -- what ends first is what was posted first, or nearly
    rows, last = tasks_after(since == '' and '0-0' or since, limit, status, expiring_before)
    if since == '' and last == '0-0' then last = '' end
  end
  return {'ok', s.mode, member, now, last, 0, rows, {}}
end

if reader ~= '' then
  if since ~= '' then
    redis.call('HSET', CURSORS, reader, number and since .. '~' .. number or since)
  else
    local kept = redis.call('HGET', CURSORS, reader)
    if kept then
      since = string.match(kept, '^[^~]+')
      number = tonumber(string.match(kept, '~(%d+)$'))
    end
  end
end
local from_start = since == ''
local rows, last, last_number, missed = broadcasts_after(from_start and '0-0' or since, number, limit)
local cursor = last
if last_number then cursor = cursor .. '~' .. string.format('%.0f', last_number) end
if from_start and last == '0-0' then cursor = '' end
rows = wanted_news(rows, status, expiring_before)
return {'ok', s.mode, member, now, cursor, missed, rows, receipts_of(rows)}
