-- The owner of a call tells how it stands, with the entries of its journal that Redis has not.
-- P, sid, node, token (0: it is new, or not known), rank, journal's name, line and event after which the entries are,
-- line and event up to which they are, open partials of inbound and outbound (0 for none), s until it expires, snapshot,
-- whether it lets go of the call with this (0 or 1); then of each entry: kind, seq, JSON
-- {'ok', version, token} | {'theirs', owner, token, rank} | {'behind'}: all entries are to be told | {'erased'}
local P, sid, node = ARGV[1], ARGV[2], ARGV[3]
local token = tonumber(ARGV[4])
if redis.call('EXISTS', P .. 'erased:' .. sid) == 1 then return { 'erased' } end
local call = P .. 'call:' .. sid
local journal = call .. ':journal'
local known = redis.call('HMGET', call, 'owner', 'token', 'rank', 'journal', 'lines', 'events', 'p0', 'p1')
if known[1] then
  local has = tonumber(known[2])
  if known[1] ~= node or (token ~= 0 and token ~= has) then
    return { 'theirs', known[1], has, tonumber(known[3] or '0') }
  end
  token = has
elseif token == 0 then
  token = 1
end
local line, event = tonumber(known[5] or '0'), tonumber(known[6] or '0')
local partials = { known[7] or '', known[8] or '' }
local after = { tonumber(ARGV[7]), tonumber(ARGV[8]) }
if known[4] ~= ARGV[6] then
  if after[1] > 0 or after[2] > 0 then return { 'behind' } end
  redis.call('DEL', journal)
  line, event, partials = 0, 0, { '', '' }
elseif after[1] > line or after[2] > event then
  return { 'behind' }
end
local open = { ARGV[11], ARGV[12] }
local told, now_open = {}, {}
for i = 16, #ARGV, 3 do
  local kind, seq, json = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  if (kind == 'l' and seq > line) or (kind == 'e' and seq > event) then
    local id = redis.call('XADD', journal, 'MAXLEN', '~', 4200, '*', 'k', kind, 's', ARGV[i + 1], 'j', json)
    for side = 1, 2 do
      if kind == 'l' and open[side] == ARGV[i + 1] then now_open[side] = ARGV[i + 1] .. ':' .. id end
    end
    told[#told + 1] = '["' .. kind .. '",' .. ARGV[i + 1] .. ',' .. json .. ']'
  end
end
for side = 1, 2 do
  local seq, id = string.match(partials[side], '^(%d+):(.+)$')
  if seq and seq ~= open[side] then
    redis.call('XDEL', journal, id)
    partials[side] = ''
  end
  partials[side] = now_open[side] or partials[side]
end
local owner = ARGV[15] == '1' and '' or node
local version = redis.call('INCR', P .. 'version')
redis.call('HSET', call, 'owner', owner, 'token', token, 'rank', ARGV[5], 'journal', ARGV[6], 'version', version,
  'lines', math.max(line, tonumber(ARGV[9])), 'events', math.max(event, tonumber(ARGV[10])),
  'p0', partials[1], 'p1', partials[2], 'snapshot', ARGV[14])
redis.call('ZADD', P .. 'calls', version, sid)
redis.call('ZREM', P .. 'gone', sid)
redis.call('EXPIRE', call, ARGV[13])
redis.call('EXPIRE', journal, ARGV[13])
redis.call('PUBLISH', P .. 'changes', version .. ' ' .. (redis.call('GET', P .. 'epoch') or '-') .. ' {"sid":"' .. sid
  .. '","node":"' .. owner .. '","token":' .. token .. ',"rank":' .. ARGV[5] .. ',"after":{"line":' .. line
  .. ',"event":' .. event .. '},"snapshot":' .. ARGV[14] .. ',"entries":[' .. table.concat(told, ',') .. ']}')
return { 'ok', version, token }
