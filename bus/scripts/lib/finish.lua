--@include channel
--@include record
--@include archive

-- The outcome as the JSON kept under RESULT. `result` is JSON text already and goes in as it is. `held_by`: of a cancelled
-- task, who held it and is to be told.
local function outcome_json(state, o)
  local text = cjson.encode({
    state = state, at = NOW, by = o.by, delivery = o.delivery or 0, claimed_at = o.claimed_at, posted_by = o.posted_by,
    held_by = o.held_by, reason = o.reason ~= '' and o.reason or nil
  })
  if o.result and o.result ~= '' then text = string.sub(text, 1, -2) .. ',"result":' .. o.result .. '}' end
  return text
end

-- Out of the workers' hands. XACK comes first: out of memory, a script whose first write frees may go on to the end.
local function let_go(id)
  redis.call('XACK', STREAM, 'workers', id)
  redis.call('ZREM', DUE, id)
  redis.call('ZREM', PARKED, id)
  redis.call('HDEL', DELIVERIES, id)
  redis.call('DEL', PROGRESS .. id)
end

local function conclude(id, s, text)
  redis.call('SET', RESULT .. id, text, 'PX', string.format('%.0f', s.ttl))
  tell(RESULT .. id, 'set')
end

-- Give a task its outcome; it stays readable in the stream until newer finished ones push it out.
local function finish(id, s, state, o)
  local text = outcome_json(state, o)
  let_go(id)
  conclude(id, s, text)
  redis.call('ZADD', DONE, NOW, id)
  archive_oldest_done()
  return text
end

-- To the dead letters, with the story of its deliveries. `why`: dead or expired.
local function bury(id, fields, s, r, why, reason)
  local text = outcome_json(why, {posted_by = field(fields, 'key'), reason = reason, delivery = r.log and r.log[#r.log] and r.log[#r.log].n})
  let_go(id)
  local letter = {'_id', id, '_reason', why, '_at', string.format('%.0f', NOW), '_deliveries', cjson.encode({releases = r.releases, log = r.log})}
  for i = 1, #fields do letter[#letter + 1] = fields[i] end
  redis.call('XADD', DEAD, 'MAXLEN', '~', 10000, '*', unpack(letter))
  if why == 'expired' then add_to_history(id, fields, text) end
  redis.call('XDEL', STREAM, id)
  conclude(id, s, text)
  return text
end
