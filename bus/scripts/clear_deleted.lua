--@include entry
-- Clear away what a deleted channel has left, a bounded part of it.
-- KEYS  the channel's; EXTRA, prefix of what was put aside
-- ARGV  how many entries to clear
-- reply {'ok', 1 when there may be more, else 0}
for _, part in ipairs({'stream', 'history', 'dead'}) do
  local put_aside, ids, kept = EXTRA .. ':' .. part, {}, {}
  for i, found in ipairs(redis.call('XRANGE', put_aside, '-', '+', 'COUNT', ARGV[1])) do
    local id = field(found[2], '_id') or found[1]
    ids[i], kept[2 * i - 1], kept[2 * i] = found[1], RESULT .. id, PROGRESS .. id
  end
  if #ids > 0 then
    redis.call('UNLINK', unpack(kept))
    redis.call('XDEL', put_aside, unpack(ids))
    return {'ok', 1}
  end
  redis.call('UNLINK', put_aside)
end
return {'ok', 0}
