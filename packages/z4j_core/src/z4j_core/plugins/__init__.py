"""Plugin contracts: hooks to be found by, classes to implement, assembly."""

from z4j_core.plugins.assembly import Assembly, EntryPoint, Problem, assemble
from z4j_core.plugins.contracts import (
    CancelResult,
    EditedRetryParams,
    Engine,
    Framework,
    Host,
    PluginSettings,
    PurgeResult,
    RetryParams,
    RetryResult,
)
from z4j_core.plugins.hooks import GROUP, hook
from z4j_core.waiting import Broker, Depth

__all__ = [
    "GROUP",
    "Assembly",
    "Broker",
    "CancelResult",
    "Depth",
    "EditedRetryParams",
    "Engine",
    "EntryPoint",
    "Framework",
    "Host",
    "PluginSettings",
    "Problem",
    "PurgeResult",
    "RetryParams",
    "RetryResult",
    "assemble",
    "hook",
]
