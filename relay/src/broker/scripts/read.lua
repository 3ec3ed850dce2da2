-- A call as it was told last, with all entries.
-- P, sid
-- {owner, token, version, rank, snapshot, {kind, seq, JSON, …}}, with an empty snapshot where it was only claimed; {} where
-- it is not there
local P, sid = ARGV[1], ARGV[2]
local call = P .. 'call:' .. sid
local known = redis.call('HMGET', call, 'owner', 'token', 'version', 'rank', 'snapshot')
if not known[1] then return {} end
local entries = {}
for _, entry in ipairs(redis.call('XRANGE', call .. ':journal', '-', '+')) do
  local fields = entry[2]
  entries[#entries + 1] = fields[2]
  entries[#entries + 1] = fields[4]
  entries[#entries + 1] = fields[6]
end
return { known[1], tonumber(known[2]), tonumber(known[3]), tonumber(known[4] or '0'), known[5] or '', entries }
