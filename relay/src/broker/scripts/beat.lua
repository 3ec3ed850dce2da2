-- A relay says that it is there, and is told who is.
-- P, node, version, since (ms since 1970), draining (0 or 1), an epoch in case there is none, ms after which a relay is
-- forgotten, the epoch that it knows, the newest version of that which it has heard of
-- {epoch, version, {{node, ms since its last beat, version, since, draining}, …}}
local P, node, keep = ARGV[1], ARGV[2], tonumber(ARGV[7])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', P .. 'epoch', ARGV[6], 'NX')
-- It was started with what it had written down earlier, or is one that did not hear of the last: it is another.
if redis.call('GET', P .. 'epoch') == ARGV[8] and tonumber(redis.call('GET', P .. 'version') or '0') < tonumber(ARGV[9]) then
  redis.call('SET', P .. 'epoch', ARGV[6])
end
redis.call('ZADD', P .. 'nodes', now, node)
redis.call('ZREMRANGEBYSCORE', P .. 'nodes', '-inf', now - keep)
redis.call('HSET', P .. 'node:' .. node, 'version', ARGV[3], 'since', ARGV[4], 'draining', ARGV[5])
redis.call('PEXPIRE', P .. 'node:' .. node, keep)
local all, nodes = redis.call('ZRANGE', P .. 'nodes', 0, -1, 'WITHSCORES'), {}
for i = 1, #all, 2 do
  local of = redis.call('HMGET', P .. 'node:' .. all[i], 'version', 'since', 'draining')
  nodes[#nodes + 1] = { all[i], math.max(0, now - tonumber(all[i + 1])), of[1] or '', of[2] or '', of[3] or '0' }
end
return { redis.call('GET', P .. 'epoch'), tonumber(redis.call('GET', P .. 'version') or '0'), nodes }
