--@include held
-- A webhook's delivery is done with: it leaves the queue without a trace.
-- KEYS  the queue's
-- ARGV  consumer, delivery number, its stream id
-- reply {'ok'} | a refusal
local h, refused = held(ARGV[3], ARGV[1], ARGV[2])
if refused then return refused end
let_go(ARGV[3])
redis.call('XDEL', STREAM, ARGV[3])
return {'ok'}
