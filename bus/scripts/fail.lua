--@include park
-- A delivery failed: back after an exponential backoff, or to the dead letters when it was the last allowed.
-- KEYS  the channel's
-- ARGV  consumer, delivery number or '', message's stream id, reason or '', a random number in [0, 1),
--       first backoff ms and longest backoff ms where they are not the usual ones
-- reply {'ok', row} | a refusal
local base_ms, max_ms = tonumber(ARGV[6]) or 1000, tonumber(ARGV[7]) or 300000
local id, reason = ARGV[3], ARGV[4]
local h, refused = held(id, ARGV[1], ARGV[2])
if refused then return refused end
local s, count, r = h.settings, h.pending.count, h.record
local fields = entry(id)
close_delivery(r, 'failed', reason)
if used_up(s, r, count) then
  return {'ok', finished_row(id, fields, bury(id, fields, s, r, 'dead', reason ~= '' and reason or 'its last delivery failed'))}
end
-- "Equal jitter" (Marc Brooker, Exponential Backoff And Jitter, 2015): never at once, never all together.
local backoff = math.min(base_ms * 2 ^ (count - r.releases - 1), max_ms)
park(id, count, math.floor(NOW + backoff * (0.5 + tonumber(ARGV[5]) / 2)), r)
return {'ok', task_row(id, fields)}
