"""Read layers from files of every kind planners have, without guessing silently."""

from __future__ import annotations

from geo.layers.formats import LayerInfo, list_layers, read_layer
from geo.layers.inspection import inspect_file
from geo.layers.raw import RawLayer
from geo.layers.source import Source, parse_source

__all__ = ["LayerInfo", "RawLayer", "Source", "inspect_file", "list_layers", "parse_source", "read_layer"]
