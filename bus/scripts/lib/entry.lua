--@include keys

-- The fields of a stream entry, flat; nil when it is gone.
local function entry(id)
  local found = redis.call('XRANGE', STREAM, id, id)
  return found[1] and found[1][2]
end

local function field(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
  return nil  -- said, because tonumber() of no value at all is an error: entries added by hand lack our fields
end

local function expires_at(fields)
  return tonumber(field(fields, '_exp')) or math.huge
end

-- The record of the group that an entry was handed out: consumer and delivery number (the fence). nil: never, or done.
local function pending(id)
  local found = redis.pcall('XPENDING', STREAM, 'workers', id, id, 1)  -- NOGROUP: nothing was handed out
  if found.err or not found[1] then return nil end
  return {consumer = found[1][2], count = found[1][4]}
end

local function due_at(id)
  return tonumber(redis.call('ZSCORE', DUE, id) or 0)
end

-- Stream ids compare as two numbers; as text where both have as many digits, which is quicker.
local function is_before(a, b)
  if #a == #b and string.find(a, '-', 1, true) == string.find(b, '-', 1, true) then return a < b end
  local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
  local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
  if a_ms ~= b_ms then return tonumber(a_ms) < tonumber(b_ms) end
  return tonumber(a_seq) < tonumber(b_seq)
end

-- Remember that the group's cursor must step over an entry: XREADGROUP > would hand it out again, silently.
local function reach_ahead(id)
  local ahead = redis.call('GET', AHEAD)
  if not ahead or is_before(ahead, id) then redis.call('SET', AHEAD, id) end
end
