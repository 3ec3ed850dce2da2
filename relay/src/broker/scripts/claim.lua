-- A relay takes a call: for a stream of it that is there, which is newer than any other, or because nobody has it.
-- P, sid, node, rank of its stream (0: it has none), the token that it knows, ms of a lease, the owner that it knows,
-- s until it expires
-- {'won', token, owner before, whether that one is there (0 or 1), version before, version} | {'mine', token, version}
-- | {'theirs', owner, token, rank} | {'erased'}
local P, sid, node, rank = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('EXISTS', P .. 'erased:' .. sid) == 1 then return { 'erased' } end
local call = P .. 'call:' .. sid
local known = redis.call('HMGET', call, 'owner', 'token', 'rank', 'version')
local owner = known[1] or ARGV[7]
local has, token, before = tonumber(known[3] or '0'), tonumber(known[2] or '0'), tonumber(known[4] or '0')
token = math.max(token, tonumber(ARGV[5]))
if known[1] == node then
  return { 'mine', token, before }
end
local there = false
if owner ~= '' and owner ~= node then
  local time, seen = redis.call('TIME'), redis.call('ZSCORE', P .. 'nodes', owner)
  there = seen and time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(seen) < tonumber(ARGV[6])
end
local newer = rank > 0 and (rank > has or (rank == has and node > owner))
if there and not newer then
  return { 'theirs', owner, token, has }
end
token = token + 1
local version = redis.call('INCR', P .. 'version')
redis.call('HSET', call, 'owner', node, 'token', token, 'rank', rank, 'version', version)
redis.call('ZADD', P .. 'calls', version, sid)
if not known[1] then redis.call('EXPIRE', call, ARGV[8]) end
redis.call('PUBLISH', P .. 'changes', version .. ' ' .. (redis.call('GET', P .. 'epoch') or '-') .. ' {"sid":"' .. sid
  .. '","node":"' .. node .. '","token":' .. token .. ',"rank":' .. rank .. '}')
return { 'won', token, owner, there and 1 or 0, before, version }
