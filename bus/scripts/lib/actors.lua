--@include clock
-- Every actor: name to JSON {key_id, label, description, metadata (JSON text), aliases, created_ms, updated_ms}, and
-- alias to JSON {alias_of}.
local ACTORS = KEYS[1]

-- The name of the actor that a name or an alias stands for, and its record; nil for the latter when there is none.
local function actor(name)
  local text = redis.call('HGET', ACTORS, name)
  local kept = text and cjson.decode(text)
  if kept and kept.alias_of then  -- always of an actor, never of another alias
    return kept.alias_of, cjson.decode(redis.call('HGET', ACTORS, kept.alias_of))
  end
  return name, kept or nil
end

local function keep_actor(name, kept)
  if kept.aliases and #kept.aliases == 0 then kept.aliases = nil end  -- cjson writes an empty list as {}
  local text = cjson.encode(kept)
  redis.call('HSET', ACTORS, name, text)
  return text
end
