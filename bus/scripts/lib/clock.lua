-- The store's clock: the only one that counts. `clock` is {seconds, µs of the second}, NOW is ms.
local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Where the server may not be told to send keyspace notifications, scripts say themselves what it would have said.
local function tell(key, event)
  if PUBLISH then redis.call('PUBLISH', PUBLISH .. key, event) end
end
