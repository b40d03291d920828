--@include cursor
--@include channel
-- How many tasks are handed out before each of these, counted to a limit.
-- KEYS  the channel's
-- ARGV  API key id, the limit, stream id, … of waiting tasks, oldest first
-- reply {'ok', {count, …}}, -1 for a task that waits no more | a refusal
local PAGE, pages_left = 25, 8
local most = tonumber(ARGV[2])
local s, refused = enter(ARGV[1], 'claimable')
if refused then return refused end

-- Those that can be claimed again come first. Then the cursor goes on, past what was claimed ahead of it, which whoever
-- only claims by id leaves behind.
local passed, page, at = redis.call('ZCOUNT', DUE, '-inf', NOW), {}, 0
local last, read = group_stands()
last = last and select(3, step_from(last, read, 256)) or '0-0'

local function waits(id, fields)
  return expires_at(fields) > NOW and not redis.call('ZSCORE', DUE, id) and not redis.call('ZSCORE', DONE, id)
end

-- Goes on to `id`; what the pages allowed do not reach is not counted.
local function passed_before(id)
  while passed < most do
    if at == #page then
      if pages_left == 0 then break end
      page, at, pages_left = redis.call('XRANGE', STREAM, '(' .. last, ARGV[#ARGV], 'COUNT', PAGE), 0, pages_left - 1
      if #page == 0 then break end
    end
    local found = page[at + 1]
    if not is_before(found[1], id) then break end
    if waits(found[1], found[2]) then passed = passed + 1 end
    last, at = found[1], at + 1
  end
  return passed
end

local counts = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local due = redis.call('ZSCORE', DUE, id)
  if redis.call('ZSCORE', DONE, id) or due and tonumber(due) > NOW then
    counts[#counts + 1] = -1
  else
    counts[#counts + 1] = math.min(due and redis.call('ZRANK', DUE, id) or passed_before(id), most)
  end
end
return {'ok', counts}
