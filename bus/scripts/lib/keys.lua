--@include clock
-- The keys that every script of a channel is given, in the order of Keys.of_channel. RESULT is a prefix.
local CHANNEL, STREAM, DUE, AHEAD, DONE, HISTORY, DEAD, DELIVERIES = unpack(KEYS, 1, 8)
local MEMBERS, BELL, RESULT, WRITES, RECEIPTS, CURSORS, REQUESTS, EVENTS = unpack(KEYS, 9, 16)
local PARKED, OUTBOX, INVITATIONS = unpack(KEYS, 17, 19)
local EXTRA = KEYS[20]  -- what one call is given beyond its channel's keys

local NOBODY = '_'  -- the consumer that parked (delayed, released, failed) entries belong to
