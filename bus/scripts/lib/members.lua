--@include channel

-- Who may enter, as JSON by API key id {at, by, via}; the owner is implied. Each change writes one event.
local MOST_MEMBERS = 10000
local EVENTS_MS = 86400000

-- Events live a day: reading passes over older ones, and the stream goes when nothing was added for a day.
local function note_event(event, by, subject, invitation)
  redis.call('XADD', EVENTS, 'MAXLEN', '~', 1000, '*', 'event', event, 'by', by, 'subject', subject, 'invitation', invitation)
  redis.call('PEXPIRE', EVENTS, EVENTS_MS)
end

local function members_full()
  return redis.call('HLEN', MEMBERS) >= MOST_MEMBERS
end

-- Make the key a member unless it is one; `via` is the invitation's digest or ''. Returns the member's JSON.
local function let_in(s, key_id, by, via)
  if s.owner == key_id then return cjson.encode({at = tonumber(redis.call('HGET', CHANNEL, 'created_ms')), by = by, via = ''}) end
  local kept = redis.call('HGET', MEMBERS, key_id)
  if kept then return kept end
  kept = cjson.encode({at = NOW, by = by, via = via})
  redis.call('HSET', MEMBERS, key_id, kept)
  note_event('member_added', by, key_id, via)
  return kept
end

-- For a verb of the owner: the settings, nil; or nil and the refusal to reply.
local function owned_by(key_id)
  local s = settings()
  if not s then return nil, {'channel_not_found'} end
  if s.owner ~= key_id then return nil, {'forbidden', 'owner'} end
  return s, nil
end
