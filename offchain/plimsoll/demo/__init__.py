"""The main job: recognisable books on a local chain, taken through real market snapshots by the keeper."""
