-- A relay is there no more.
-- P, node
local P, node = ARGV[1], ARGV[2]
redis.call('DEL', P .. 'node:' .. node)
return redis.call('ZREM', P .. 'nodes', node)
