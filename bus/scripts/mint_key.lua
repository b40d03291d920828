--@include clock
-- Write a new API key's record. Nobody has the key until its label is taken as well.
-- KEYS  the API key's record
-- ARGV  SHA-256 of the raw key, label
-- reply created ms | nil: that key id is taken
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local created = string.format('%.0f', NOW)
redis.call('HSET', KEYS[1], 'sha256', ARGV[1], 'label', ARGV[2], 'created_ms', created)
return created
