--@include clock
-- The keys that every script of a channel is given, in the order of Keys.of_channel. RESULT and PROGRESS are prefixes.
local CHANNEL, STREAM, DUE, AHEAD, DONE, HISTORY, DEAD, DELIVERIES = unpack(KEYS, 1, 8)
local MEMBERS, BELL, RESULT, WRITES, RECEIPTS, CURSORS, REQUESTS, EVENTS = unpack(KEYS, 9, 16)
local PARKED, OUTBOX, INVITATIONS, PROGRESS, WORKERS, CLAIMERS = unpack(KEYS, 17, 22)
local EXTRA = KEYS[23]  -- what one call is given beyond its channel's keys

local NOBODY = '_'  -- the consumer that parked (delayed, released, failed) entries belong to
