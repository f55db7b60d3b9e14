"""Plugin contracts: hooks to be found by, classes to implement, assembly."""

from z4j_core.plugins.assembly import Assembly, EntryPoint, Problem, assemble
from z4j_core.plugins.contracts import Framework, Host, PluginSettings
from z4j_core.plugins.engine import (
    CancelResult,
    EditedRetryParams,
    Engine,
    PurgeResult,
    RetryParams,
    RetryResult,
)
from z4j_core.plugins.hooks import GROUP, hook
from z4j_core.plugins.offering import Offering
from z4j_core.plugins.probing import ProbedTask, ProbeParams, ProbeResult, Verdict
from z4j_core.plugins.recorded import recorded_arguments
from z4j_core.plugins.scheduler import CreateResult, RunResult, Scheduler
from z4j_core.schedules import Owner, Schedule, store_id
from z4j_core.waiting import Broker, Depth

__all__ = [
    "GROUP",
    "Assembly",
    "Broker",
    "CancelResult",
    "CreateResult",
    "Depth",
    "EditedRetryParams",
    "Engine",
    "EntryPoint",
    "Framework",
    "Host",
    "Offering",
    "Owner",
    "PluginSettings",
    "ProbeParams",
    "ProbeResult",
    "ProbedTask",
    "Problem",
    "PurgeResult",
    "RetryParams",
    "RetryResult",
    "RunResult",
    "Schedule",
    "Scheduler",
    "Verdict",
    "assemble",
    "hook",
    "recorded_arguments",
    "store_id",
]
