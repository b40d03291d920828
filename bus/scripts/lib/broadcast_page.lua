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
    if rows[1] then
      missed = (tonumber(field(rows[1][2], '_n')) or since_number + 1) - since_number - 1
    else
      local posted = tonumber(redis.call('HGET', CHANNEL, 'posted') or 0)
      -- All gone. The place stays: what comes in this very millisecond is still behind it.
      if last == since then last_number = math.max(posted, since_number) end
      missed = (last_number or since_number) - since_number
    end
  end
  return rows, last, last_number, math.max(missed, 0)
end

local function receipts_of(rows)
  if #rows == 0 then return {} end
  local ids = {}
  for i, row in ipairs(rows) do ids[i] = row[1] end
  local found = redis.call('HMGET', RECEIPTS, unpack(ids))
  for i = 1, #ids do found[i] = found[i] or '' end
  return found
end
