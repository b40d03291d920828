--@include entry
-- Clear away what a deleted channel has left, a bounded part of it.
-- KEYS  the channel's; EXTRA, prefix of what was put aside
-- ARGV  how many entries to clear
-- reply {'ok', 1 when there may be more, else 0}
for _, part in ipairs({'stream', 'history', 'dead'}) do
  local put_aside, ids, results = EXTRA .. ':' .. part, {}, {}
  for i, found in ipairs(redis.call('XRANGE', put_aside, '-', '+', 'COUNT', ARGV[1])) do
    ids[i], results[i] = found[1], RESULT .. (field(found[2], '_id') or found[1])
  end
  if #ids > 0 then
    redis.call('UNLINK', unpack(results))
    redis.call('XDEL', put_aside, unpack(ids))
    return {'ok', 1}
  end
  redis.call('UNLINK', put_aside)
end
return {'ok', 0}
