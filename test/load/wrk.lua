-- Counts answers per tenth of a second of wall time, and prints what happened as one line of JSON behind `RESULT `.
local ffi = require('ffi')
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]]

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init()
  answers = {}
  now = ffi.new('moment')
end

function response()
  ffi.C.clock_gettime(0, now)
  local tenth = tonumber(now.seconds) * 10 + math.floor(tonumber(now.nanoseconds) / 1e8)
  answers[tenth] = (answers[tenth] or 0) + 1
end

function done(summary, latency)
  local counts = {}
  for _, thread in ipairs(threads) do
    for tenth, count in pairs(thread:get('answers')) do
      counts[tenth] = (counts[tenth] or 0) + count
    end
  end
  local entries = {}
  for tenth, count in pairs(counts) do
    table.insert(entries, string.format('[%.0f,%d]', tenth, count))
  end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"durationMs":%.1f,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d,"p50Ms":%.3f,"p99Ms":%.3f,"maxMs":%.3f,"answers":[%s]}\n',
    summary.requests, summary.duration / 1e3, errors.connect, errors.read, errors.write, errors.timeout, errors.status,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3, table.concat(entries, ',')))
end
