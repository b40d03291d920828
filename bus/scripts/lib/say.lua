--@include keys

-- The note of a delivery, as JSON. Written without any, '{}', when something was asked or answered: who waits for either
-- listens to this key.
local function say(id, progress, ms)
  redis.call('SET', PROGRESS .. id, progress, 'PX', string.format('%.0f', ms))
  tell(PROGRESS .. id, 'set')
end
