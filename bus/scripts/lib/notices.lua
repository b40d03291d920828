--@include channel

-- Who of {{actor, API key id}, …} may read the channel: their names as JSON, '' for nobody.
local function readers(s, mentioned)
  local names = {}
  for _, one in ipairs(mentioned ~= '' and cjson.decode(mentioned) or {}) do
    if s.access ~= 'restricted' or is_member(s, one[2]) then names[#names + 1] = one[1] end
  end
  return #names > 0 and cjson.encode(names) or ''
end

-- What webhooks are to be told of, in the script that does it: so neither is ever without the other. `mentions`: names
-- as JSON or ''. Returns 1 when there is anything to hand on, else 0.
local function note_post(id, mentions)
  local url = redis.call('HGET', CHANNEL, 'webhook_url') or ''
  if url == '' and mentions == '' then return 0 end
  redis.call('XADD', OUTBOX, '*', 'event', 'message.posted', 'message', id, 'webhook', url ~= '' and 1 or 0, 'mentions', mentions)
  return 1
end

local function note_approval(member, by)
  if (redis.call('HGET', CHANNEL, 'webhook_url') or '') == '' then return end
  redis.call('XADD', OUTBOX, '*', 'event', 'member.approved', 'member', member, 'by', by)
end
