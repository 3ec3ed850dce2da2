-- What has changed after a version.
-- P, version, at most so many calls
-- {epoch, version, {sid, version, …}, {sid, …} that are gone, {sid, …} that were erased}
local P = ARGV[1]
local calls = redis.call('ZRANGEBYSCORE', P .. 'calls', '(' .. ARGV[2], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local gone, erased = {}, {}
for _, sid in ipairs(redis.call('ZRANGEBYSCORE', P .. 'gone', '(' .. ARGV[2], '+inf')) do
  local list = redis.call('EXISTS', P .. 'erased:' .. sid) == 1 and erased or gone
  list[#list + 1] = sid
end
return { redis.call('GET', P .. 'epoch') or '-', tonumber(redis.call('GET', P .. 'version') or '0'), calls, gone, erased }
