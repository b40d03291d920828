--@include pace
-- Whose an API key is; a good key's call is counted against its rate limit, a bad one's is not.
-- KEYS  the API key's record, its rate state
-- ARGV  SHA-256 of the raw key, limit (0: none, and nothing is written), window ms
-- reply {SHA-256 as kept, label, scopes JSON or '', calls left, ms until the next is let through} | nil: no such key
local kept = redis.call('HMGET', KEYS[1], 'sha256', 'label', 'scopes', 'revoked_ms', 'old_sha256', 'old_until_ms')
if not kept[1] or kept[4] then return false end
local same = kept[1]
if same ~= ARGV[1] then  -- the secret before the last rotation is good for a while
  if kept[5] ~= ARGV[1] or tonumber(kept[6]) <= NOW then return false end
  same = kept[5]
end
local left, retry_ms, limit = 0, 0, tonumber(ARGV[2])
if limit > 0 then left, retry_ms = take(KEYS[2], limit, tonumber(ARGV[3]), 1) end
return {same, kept[2] or '', kept[3] or '', left, retry_ms}
