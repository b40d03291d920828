-- The keys that every script of a channel is given, in the order of Keys.of_channel. RESULT is a prefix.
local CHANNEL, STREAM, DUE, AHEAD, DONE, HISTORY, DEAD, DELIVERIES = unpack(KEYS, 1, 8)
local MEMBERS, BELL, RESULT, WRITES, RECEIPTS, CURSORS, REQUESTS, EVENTS, PARKED, OUTBOX = unpack(KEYS, 9, 18)

local NOBODY = '_'  -- the consumer that parked (delayed, released, failed) entries belong to

local clock = redis.call('TIME')
local NOW = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Where the server may not be told to send keyspace notifications, scripts say themselves what it would have said.
local function tell(key, event)
  if PUBLISH then redis.call('PUBLISH', PUBLISH .. key, event) end
end
