-- A call is remembered no more, as its owner says; or as anybody says, where that one is gone, or Redis has lost who it
-- was: others may know the call still. With `erase` for good, whoever says so.
-- P, sid, node, ms of a lease, erase (0 or 1), s for which nobody takes it up again
-- whether it was done (0 or 1)
local P, sid, node, erase = ARGV[1], ARGV[2], ARGV[3], ARGV[5] == '1'
local call = P .. 'call:' .. sid
local owner = redis.call('HGET', call, 'owner')
if erase then
  redis.call('SET', P .. 'erased:' .. sid, '1', 'EX', ARGV[6])
elseif owner and owner ~= node and owner ~= '' then
  local time, seen = redis.call('TIME'), redis.call('ZSCORE', P .. 'nodes', owner)
  if seen and time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(seen) < tonumber(ARGV[4]) then return 0 end
end
redis.call('DEL', call, call .. ':journal')
redis.call('ZREM', P .. 'calls', sid)
local version = redis.call('INCR', P .. 'version')
redis.call('ZADD', P .. 'gone', version, sid)
redis.call('ZREMRANGEBYRANK', P .. 'gone', 0, -2001)
redis.call('PUBLISH', P .. 'changes', version .. ' ' .. (redis.call('GET', P .. 'epoch') or '-') .. ' {"sid":"' .. sid
  .. '","node":"' .. node .. '","token":0,"rank":0,"gone":true,"erased":' .. (erase and 'true' or 'false') .. '}')
return 1
