"""What Redis does in one step for the feed's log: append, and say where the log stands. In Lua.

An entry's id in the stream is `<epoch>-<id>`. So the epoch is the stream's own: neither outlives
the other, and a reader of an old epoch that asks what follows is given the new one. The epoch is
the time at which the stream was begun, in µs, so that a later one is larger: XREAD then finds it.
(With ids `N-0` the epoch would need a key of its own, which can be lost alone. Partly given ids,
`<epoch>-*`, would need no script, but Redis 7, and could append to another epoch than it seems.)

KEYS[1] is the stream; ARGV[1] an epoch that a new one must be above, such as the last one known.
KEYS[2] is a sorted set: the publishers' keys, each with its sender, by the id of their message. It
holds no more of them than the history has messages, and ends with its stream.
"""

_LAST = """
local function begin(entries)
  local now = redis.call('TIME')
  local epoch = math.max(now[1] * 1000000 + now[2], ARGV[1] + 1)
  epoch = string.format('%.0f', epoch)
  redis.call('DEL', KEYS[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '(' .. entries[#entries][1]:match('%d+$'), '+inf')
  for _, entry in ipairs(entries) do
    redis.call('XADD', KEYS[1], epoch .. entry[1]:match('%-%d+'), unpack(entry[2]))
  end
  return epoch
end

local function last()
  local entry = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
  if entry then
    return entry[1]:match('(%d+)-(%d+)')
  end
  return begin({{'0-0', {'begun', 'here'}}}), '0'
end
"""

# ARGV: epoch, history, sender, text, sent_ns, published_ns, sender and key or nothing. Returns the
# message's id, and if there is a message of this sender and key already: its id and its fields.
# The cut may leave up to a hundred entries more, which costs Redis less than counting exactly;
# what readers can have is bounded by each server's memory of the feed.
APPEND = (
    _LAST
    + """
local epoch, id = last()
local name = ARGV[7]
local known = name ~= '' and redis.call('ZSCORE', KEYS[2], name)
if known then
  local place = epoch .. '-' .. string.format('%.0f', known)
  local entry = redis.call('XRANGE', KEYS[1], place, place)[1]
  if entry then
    return {string.format('%.0f', known), entry[2]}
  end
end
id = string.format('%.0f', id + 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], epoch .. '-' .. id,
  'sender', ARGV[3], 'text', ARGV[4], 'sent_ns', ARGV[5], 'published_ns', ARGV[6])
if name ~= '' then
  redis.call('ZADD', KEYS[2], id, name)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', id - ARGV[2])
end
return {id}
"""
)

# ARGV: epoch, lost. Returns `<epoch>-<id>` of the last entry; begins the stream if there is none.
# If `lost` is 1 and that epoch is still the stream's, Redis has come back without its end. What
# there is goes on under a new epoch, since the ids that follow would be given a second time.
STAND = (
    _LAST
    + """
local epoch, id = last()
if ARGV[2] == '1' and epoch == ARGV[1] then
  epoch = begin(redis.call('XRANGE', KEYS[1], '-', '+'))
end
return epoch .. '-' .. id
"""
)
