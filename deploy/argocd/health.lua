-- Health of a Canary for Argo CD. Replaces Argo CD's own script: a release that waits for people is Suspended, a release that
-- is being prepared or waits in the queue is Progressing, and nothing is Unknown. For the installation, see docs/waiting.md.
local health = {status = "Progressing", message = "not looked at yet"}
local status = obj.status
if status == nil or status.phase == nil or status.phase == "" then
  return health
end

local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local function is(type, value)
  return conditions[type] ~= nil and conditions[type].status == value
end
local function say(condition)
  if condition ~= nil and condition.message ~= nil then
    health.message = status.phase .. ": " .. condition.message
  else
    health.message = status.phase
  end
end

local generation = obj.metadata and obj.metadata.generation
if generation ~= nil and status.observedGeneration ~= nil and status.observedGeneration ~= generation then
  health.message = "the last change of the Canary has not been looked at yet"
  return health
end

local deleted = status.phase == "Terminating" or status.phase == "Terminated"
local at_rest = status.phase == "Initialized" or status.phase == "Succeeded"
local at_gate = status.phase == "Waiting" or status.phase == "WaitingPromotion"
local promoted = conditions.Promoted
local not_promoted = promoted ~= nil and promoted.status == "False"
local stays_behind = at_rest and status.lastAppliedSpec ~= status.lastPromotedSpec
  and status.lastAppliedSpec ~= nil and status.lastPromotedSpec ~= nil

if deleted then
  say(nil)
elseif is("Accepted", "False") then
  health.status = "Degraded"
  say(conditions.Accepted)
elseif status.phase == "Failed" or stays_behind or at_rest and not_promoted then
  health.status = "Degraded"
  say(conditions.Stalled or promoted)
elseif at_rest then
  health.status = "Healthy"
  say(conditions.Ready or promoted)
elseif is("Queued", "True") then
  say(conditions.Queued)
elseif is("Held", "True") then
  health.status = "Suspended"
  say(conditions.Held)
elseif at_gate then
  health.status = "Suspended"
  say(conditions.Paused or conditions.Inconclusive or promoted)
elseif is("Suspended", "True") then
  health.status = "Suspended"
  say(conditions.Suspended)
elseif is("Frozen", "True") then
  say(conditions.Frozen)
else
  say(conditions.Reconciling or promoted)
end
if status.canaryWeight ~= nil and status.canaryWeight > 0 then
  health.message = health.message .. " (" .. status.canaryWeight .. " % of the traffic)"
end
return health
