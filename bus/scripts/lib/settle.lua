--@include finish

-- Who held what is pending like that; nil for a parked entry.
local function holder(p)
  return p.consumer ~= NOBODY and p.consumer or nil
end

-- A poster's wish to cancel a task that was held is carried out.
local function call_off(id, s, p, r, poster)
  return finish(id, s, 'cancelled', {
    by = r.cancel.by, posted_by = poster, reason = r.cancel.reason, delivery = p.count, claimed_at = claimed_at(r),
    held_by = holder(p)
  })
end

local function used_up(s, r, count)
  return count - (r.releases or 0) >= s.max_deliveries
end

-- A task whose lease or delay is over may have reached its end without anyone doing anything. Returns the outcome's
-- JSON when it has, else nil and the record, with the lapsed delivery closed.
local function settle(id, fields, s, p)
  local r = record(id)
  if r.cancel then return call_off(id, s, p, r, field(fields, 'key')) end
  if p.consumer ~= NOBODY then close_delivery(r, 'lease_expired') end
  if expires_at(fields) <= NOW then
    return bury(id, fields, s, r, 'expired', 'its time to live passed before it was finished')
  end
  if used_up(s, r, p.count) then
    return bury(id, fields, s, r, 'dead', 'its lease ran out on the last of ' .. s.max_deliveries .. ' deliveries')
  end
  return nil, r
end

local function expire_unclaimed(id, fields, s)
  return bury(id, fields, s, {releases = 0}, 'expired', 'nobody claimed it in its time to live')
end
