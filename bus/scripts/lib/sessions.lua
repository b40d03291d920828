--@include clock
-- The sessions of one API key. `state` maps each top-level name to its value as JSON text: cjson, which knows no empty
-- list and rounds large numbers, never reads the values.
local SESSIONS = KEYS[1]

-- The session's record, unless there is none or its time is over: then it is gone.
local function session(id)
  local text = redis.call('HGET', SESSIONS, id)
  local kept = text and cjson.decode(text)
  if kept and kept.expires <= NOW then
    redis.call('HDEL', SESSIONS, id)
    return nil
  end
  return kept or nil
end

-- Not decoded for it: inside a name or a value its quotes would be escaped.
local function forget_expired()
  local kept = redis.call('HGETALL', SESSIONS)
  for i = 1, #kept, 2 do
    if tonumber(string.match(kept[i + 1], '"expires":(%d+)')) <= NOW then redis.call('HDEL', SESSIONS, kept[i]) end
  end
end
