"""An index that follows its folders by itself: told what changed (`notices`), or looking at all of them now and then.

`follower` decides when what is looked at, and never blocks who asks for its `state`; a process of its own does the work
(`__main__`, started by `worker`) at low priority, and ends soon after, so that nothing holds a model at rest.
"""

VARIABLE = "COLIBRI_FILES_FOLLOW"
"""Between a frozen program and that process, see `colibri.files.room`."""
