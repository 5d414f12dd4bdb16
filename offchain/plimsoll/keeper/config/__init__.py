"""The keeper's options: one TOML file, checked whole before anything starts."""

from plimsoll.keeper.config.explain import example, explain, page
from plimsoll.keeper.config.load import Loaded, load_config
from plimsoll.keeper.config.sections import KeySection
from plimsoll.keeper.config.tree import KeeperConfig

__all__ = ["KeeperConfig", "KeySection", "Loaded", "example", "explain", "load_config", "page"]
