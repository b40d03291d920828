--@include row

-- Messages after a cursor: rows, the id and running number to go on from, how many were trimmed before they were read.
local function broadcasts_after(since, since_number, limit)
  local rows, last, last_number = {}, since, since_number
  for _, found in ipairs(redis.call('XRANGE', STREAM, '(' .. since, '+', 'COUNT', limit)) do
    last, last_number = found[1], tonumber(field(found[2], '_n')) or last_number
    if expires_at(found[2]) > NOW then rows[#rows + 1] = plain_row(found[1], found[2], '') end
  end
  local missed = 0
  if since_number then
    local up_to = last_number or since_number
    if rows[1] then
      up_to = (tonumber(field(rows[1][2], '_n')) or since_number + 1) - 1
    elseif last == since then
      -- All gone. The place stays: what comes in this very millisecond is still behind it.
      up_to = math.max(tonumber(redis.call('HGET', CHANNEL, 'posted') or 0), since_number)
      last_number = up_to
    end
    missed = up_to - since_number
    -- Whoever took a message back did not mean it to be read.
    if missed > 0 then missed = missed - redis.call('ZCOUNT', DONE, since_number + 1, up_to) end
  end
  return rows, last, last_number, math.max(missed, 0)
end

-- Nobody claims news: all of it is unclaimed.
local function wanted_news(rows, status, expiring_before)
  local found = {}
  for _, row in ipairs(rows) do
    if status ~= 'claimed' and (not expiring_before or expires_at(row[2]) < expiring_before) then found[#found + 1] = row end
  end
  return found
end

local function receipts_of(rows)
  if #rows == 0 then return {} end
  local ids = {}
  for i, row in ipairs(rows) do ids[i] = row[1] end
  local found = redis.call('HMGET', RECEIPTS, unpack(ids))
  for i = 1, #ids do found[i] = found[i] or '' end
  return found
end
