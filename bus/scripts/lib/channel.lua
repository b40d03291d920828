--@include keys

-- The channel's settings; nil when there is no such channel.
local function settings()
  local s = redis.call('HMGET', CHANNEL, 'mode', 'access', 'owner_key_id', 'ttl_ms', 'lease_ms', 'max_deliveries', 'created_ms')
  if not s[1] then return nil end
  return {
    mode = s[1], access = s[2], owner = s[3], ttl = tonumber(s[4]), lease = tonumber(s[5]), max_deliveries = tonumber(s[6]),
    created = tonumber(s[7]) or 0
  }
end

local function is_member(s, key_id)
  return s.owner == key_id or redis.call('HEXISTS', MEMBERS, key_id) == 1
end

-- settings, nil; or nil and the refusal to reply. mode '' takes either kind of channel.
local function enter(key_id, mode)
  local s = settings()
  if not s then return nil, {'channel_not_found'} end
  if s.access == 'restricted' and not is_member(s, key_id) then return nil, {'channel_access_denied'} end
  if mode ~= '' and s.mode ~= mode then
    return nil, {mode == 'claimable' and 'channel_not_claimable' or 'channel_not_broadcast'}
  end
  return s, nil
end

-- Whether something was made before the channel: then it is of a deleted channel of that name.
local function of_an_older(s, id)
  return tonumber(string.match(id, '^%d+')) < s.created
end

-- The outcome that is kept of a task, as JSON.
local function outcome_of(id, s)
  return not of_an_older(s, id) and redis.call('GET', RESULT .. id)
end
