--@include entry

-- What happened to a task that was handed out: {posted_by, releases, log = {{n, by, at, ended, why}, …}, cancel,
-- touched = ms when its holder last showed that it thinks of it, asked = 1 while a question is open,
-- talk = {{q, by, at, a, a_by, a_key, a_at}, …}}.
local LOG_LIMIT = 20

local function record(id)
  local found = redis.call('HGET', DELIVERIES, id)
  return found and cjson.decode(found) or {releases = 0, log = {}}
end

local function keep_record(id, r)
  while r.log and #r.log > LOG_LIMIT do table.remove(r.log, 1) end
  if r.log and #r.log == 0 then r.log = nil end  -- cjson writes an empty list as {}
  redis.call('HSET', DELIVERIES, id, cjson.encode(r))
end

local function close_delivery(r, ended, why)
  local last = r.log and r.log[#r.log]
  if last and not last.ended then
    last.ended = ended
    if why and why ~= '' then last.why = why end
  end
end

local function last_delivery(id)
  local r = record(id)
  return r.log and r.log[#r.log] and r.log[#r.log].n or 0
end

local function claimed_at(r)
  local last = r.log and r.log[#r.log]
  return last and last.at
end

-- A first delivery, written without decoding: this is the hot path.
local function note_first_delivery(id, fields, consumer)
  redis.call('HSET', DELIVERIES, id, '{"posted_by":' .. cjson.encode(field(fields, 'key') or '') .. ',"releases":0,"log":[{"n":1,"by":'
    .. cjson.encode(consumer) .. ',"at":' .. string.format('%.0f', NOW) .. '}]}')
end

-- Another delivery: it begins without the note of the one before; what was asked and answered goes with it.
local function note_delivery(id, fields, r, consumer, n)
  redis.call('DEL', PROGRESS .. id)
  r.asked = nil
  r.posted_by = field(fields, 'key') or ''
  r.log = r.log or {}
  table.insert(r.log, {n = n, by = consumer, at = NOW})
  keep_record(id, r)
end
