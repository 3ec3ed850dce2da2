-- A relay lets go of calls, so that others may take them at once.
-- P, node, then the calls
-- how many were its own
local P, node, count = ARGV[1], ARGV[2], 0
for i = 3, #ARGV do
  local sid = ARGV[i]
  local call = P .. 'call:' .. sid
  local known = redis.call('HMGET', call, 'owner', 'token')
  if known[1] == node then
    local version = redis.call('INCR', P .. 'version')
    redis.call('HSET', call, 'owner', '', 'rank', 0, 'version', version)
    redis.call('ZADD', P .. 'calls', version, sid)
    redis.call('PUBLISH', P .. 'changes', version .. ' ' .. (redis.call('GET', P .. 'epoch') or '-') .. ' {"sid":"' .. sid
      .. '","node":"","token":' .. known[2] .. ',"rank":0}')
    count = count + 1
  end
end
return count
