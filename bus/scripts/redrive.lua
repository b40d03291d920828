--@include notices
--@include entry
-- Put dead letters back as new tasks, all of them or none.
-- KEYS  the channel's
-- ARGV  API key id, dead letter's stream id, …
-- reply {'ok', {new stream id, …}} | a refusal: dead_letter_not_found (id)
local s, refused = enter(ARGV[1], 'claimable')
if refused then return refused end
if not is_member(s, ARGV[1]) then return {'forbidden', 'member'} end

local letters, seen = {}, {}
for i = 2, #ARGV do
  local found = redis.call('XRANGE', DEAD, ARGV[i], ARGV[i])[1]
  if not found or seen[ARGV[i]] then return {'dead_letter_not_found', ARGV[i]} end
  letters[#letters + 1], seen[ARGV[i]] = found, true
end

local OWN = {_id = true, _reason = true, _at = true, _deliveries = true, _exp = true, _redriven_from = true}
local made = {}
for _, letter in ipairs(letters) do
  local was = field(letter[2], '_id')
  local fields = {'_exp', string.format('%.0f', NOW + s.ttl), '_redriven_from', was}
  for i = 1, #letter[2], 2 do
    if not OWN[letter[2][i]] then
      fields[#fields + 1], fields[#fields + 2] = letter[2][i], letter[2][i + 1]
    end
  end
  local id = redis.call('XADD', STREAM, '*', unpack(fields))
  tell(STREAM, 'xadd')
  note_post(id, '')
  redis.call('XDEL', DEAD, letter[1])
  local outcome = redis.call('GET', RESULT .. was)
  if outcome then  -- whoever still asks for the old one learns where it went
    outcome = string.sub(outcome, 1, -2) .. ',"redriven_to":' .. cjson.encode(id) .. '}'
    redis.call('SET', RESULT .. was, outcome, 'KEEPTTL')
  end
  made[#made + 1] = id
end
return {'ok', made}
