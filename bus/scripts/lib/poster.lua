--@include channel
--@include entry

-- For verbs of whoever posted a message, and of its channel's owner: what there is of it {fields, outcome, key}, `key` being
-- the poster's; else nil and the refusal. One that left the stream is known by its outcome alone.
local function posted_by(key_id, id, s)
  local fields, outcome = entry(id), outcome_of(id, s)
  if not outcome and not fields then return nil, {'message_not_found'} end
  local poster = outcome and cjson.decode(outcome).posted_by or fields and field(fields, 'key')
  if poster ~= key_id and s.owner ~= key_id then return nil, {'forbidden', 'poster'} end
  return {fields = fields, outcome = outcome, key = poster}, nil
end
