"""The walking network: streets as a graph, and walking distance along them, exact to the edge."""

from geo.network.access import snap
from geo.network.build import BridgeRule, apply, build_network, network_of
from geo.network.changes import Changes, changed, changes
from geo.network.detour import DETOUR_FACTOR, detour_distance
from geo.network.places import compound_of
from geo.network.router import Router, walking_distance, within
from geo.network.types import (
    GATE_M,
    ISLAND,
    MAX_LEG_M,
    OFF_NETWORK,
    ON,
    SNAP_M,
    TIE_M,
    Access,
    Network,
    NetworkReport,
    Scenario,
    State,
)

__all__ = [
    "DETOUR_FACTOR",
    "GATE_M",
    "ISLAND",
    "MAX_LEG_M",
    "OFF_NETWORK",
    "ON",
    "SNAP_M",
    "TIE_M",
    "Access",
    "BridgeRule",
    "Changes",
    "Network",
    "NetworkReport",
    "Router",
    "Scenario",
    "State",
    "apply",
    "build_network",
    "changed",
    "changes",
    "compound_of",
    "detour_distance",
    "network_of",
    "snap",
    "walking_distance",
    "within",
]
