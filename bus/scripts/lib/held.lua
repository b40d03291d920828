--@include settle
--@include row

-- Why somebody who is not the holder may not act: told apart so that the caller knows what to do next.
local function not_holder(id, s, p, consumer)
  local key_id = string.match(consumer, '^[^/]+')
  if s.access == 'restricted' and not is_member(s, key_id) then return {'channel_access_denied'} end
  local outcome = outcome_of(id, s)
  if outcome then
    local o = cjson.decode(outcome)
    if o.held_by == consumer then return {'task_cancelled', o.reason or ''} end
    return {'already_finished', outcome}
  end
  if not entry(id) then return {'message_not_found'} end
  if redis.call('ZSCORE', DONE, id) then return {'already_finished', ''} end
  for _, delivery in ipairs(record(id).log or {}) do
    if delivery.by == consumer then return {'lease_lost', p and p.consumer or NOBODY} end
  end
  return {'not_claimed', p and p.consumer or NOBODY}
end

-- The fence: settings, pending and record when `consumer` holds this delivery (token '' means whichever it holds);
-- else nil and the refusal. A poster's wish to cancel is carried out here, at the holder's next call.
local function held(id, consumer, token)
  local s = settings()
  if not s then return nil, {'channel_not_found'} end
  if s.mode ~= 'claimable' then return nil, {'channel_not_claimable'} end
  local p = pending(id)
  if not p or p.consumer ~= consumer then return nil, not_holder(id, s, p, consumer) end
  if token ~= '' and tonumber(token) ~= p.count then return nil, {'lease_lost', p.consumer} end
  local r = record(id)
  if r.cancel then
    call_off(id, s, p, r, r.posted_by)
    return nil, {'task_cancelled', r.cancel.reason or ''}
  end
  return {settings = s, pending = p, record = r}, nil
end
