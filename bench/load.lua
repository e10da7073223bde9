-- wrk's script for all scenarios: each request is made new, refused ones are counted by status.
-- Arguments: what to send ("get", "visit", "form", "api", "spread", "invalid", "box office", "scan", "sync"), then what
-- that needs. A visit is a GET from a network of its own; "spread" books by API one performance after another.
local kind, token, cookie, cursor
local paths = {}
local tokens = {}
local number = 0
local codes = {}

function init(args)
  kind = args[1]
  if kind == "form" then token, cookie = args[2], args[3] end
  if kind == "scan" or kind == "sync" then
    for line in io.lines(args[2]) do tokens[#tokens + 1] = line end
  end
  if kind == "scan" then
    for line in io.lines(args[3]) do codes[#codes + 1] = line end
  end
  if kind == "spread" then
    for line in io.lines(args[2]) do paths[#paths + 1] = line end
  end
  if kind == "sync" then cursor = args[3] end
  math.randomseed(os.time())
end

local function uuid()
  return (string.gsub("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", "x", function()
    return string.format("%x", math.random(0, 15))
  end))
end

-- The proxy's word for where a booking comes from: visitors of a rush have a network each.
local function network()
  if kind == "box office" then return "192.0.2.1" end
  return string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(0, 255))
end

function request()
  number = number + 1
  if kind == "get" then return wrk.format("GET") end
  if kind == "visit" then return wrk.format("GET", nil, { ["X-Forwarded-For"] = network() }) end
  local address = string.format("bench-%d-%d@example.org", os.time(), number)
  if kind == "form" then
    return wrk.format("POST", nil,
      { ["Content-Type"] = "application/x-www-form-urlencoded", ["Cookie"] = cookie,
        ["X-Forwarded-For"] = network() },
      "csrf_token=" .. token .. "&request_key=" .. uuid() .. "&name=Bench&seats=1&consent=y&email="
      .. string.gsub(address, "@", "%%40"))
  end
  if kind == "api" or kind == "spread" or kind == "box office" then
    return wrk.format("POST", paths[number % math.max(#paths, 1) + 1],
      { ["Content-Type"] = "application/json", ["Idempotency-Key"] = uuid(),
        ["X-Forwarded-For"] = network() },
      '{"name":"Bench","seats":1,"consent":true,"locale":"en","email":"' .. address .. '"}')
  end
  if kind == "invalid" then
    return wrk.format("POST", nil,
      { ["Content-Type"] = "application/json", ["Accept-Language"] = "it", ["X-Forwarded-For"] = network() },
      '{"name":1,"seats":0,"consent":false,"places":1}')
  end
  local device = { ["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. tokens[number % #tokens + 1] }
  if kind == "sync" then
    return wrk.format("POST", nil, device, '{"version":1,"cursor":' .. cursor .. ',"actions":[]}')
  end
  -- Every tenth ticket is shown a second time, at another phone.
  local code = codes[number % 10 == 0 and number - 5 or number] or "used up"
  return wrk.format("POST", nil, device, '{"scan_id":"' .. uuid() .. '","code":"' .. code .. '"}')
end

function done(summary, latency)
  io.write(string.format('RESULT {"requests": %d, "refused": %d, "lost": %d, "seconds": %f, "p50": %f, "p95": %f, "p99": %f, "longest": %f}\n',
    summary.requests, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3))
end
