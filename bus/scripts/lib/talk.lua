--@include held
--@include say

-- What is kept of the questions and answers of one task, the latest last; it is read with every act on the task.
local TALK_LIMIT, TALK_BYTES = 10, 262144

local function trim(talk)
  local bytes = 0
  for i = #talk, 1, -1 do
    bytes = bytes + #talk[i].q + #(talk[i].a or '')
    if i < #talk and (bytes > TALK_BYTES or #talk - i >= TALK_LIMIT) then
      for _ = 1, i do table.remove(talk, 1) end
      return
    end
  end
end

-- The lease of `consumer` now ends at `at`, and whoever waits for a question or an answer looks again.
local function note_talk(id, s, p, r, at)
  redis.call('XCLAIM', STREAM, 'workers', p.consumer, 0, id, 'RETRYCOUNT', p.count, 'JUSTID')
  redis.call('ZADD', DUE, string.format('%.0f', at), id)
  trim(r.talk)
  r.touched = NOW
  keep_record(id, r)
  say(id, redis.call('GET', PROGRESS .. id) or '{}', s.ttl)
end
