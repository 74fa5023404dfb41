-- For wrk: sends the requests of a file one after the other, and over again; says what came of it.
-- Each line of the file is a method, a path and a body (JSON, or nothing), parted by tabs.

local requests, place = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local method, path, body = line:match("^(%u+)\t([^\t]+)\t([^\t]*)$")
    local headers = {}
    if body == "" then
      body = nil
    else
      headers["Content-Type"] = "application/json"
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body)
  end
end

function request()
  place = place % #requests + 1
  return requests[place]
end

function done(summary, latency, _)
  local failed = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "bytes": %d, "refused": %d, "broken": %d, '
      .. '"p50": %.3f, "p99": %.3f, "most": %.3f}\n',
    summary.requests, summary.duration, summary.bytes, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50), latency:percentile(99), latency.max
  ))
end
