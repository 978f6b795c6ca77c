"""A folder that installs Colibri where there is no network: wheels, an artefact, hashes, and an installer that checks
them first.

In come a platform, a Python and extras, out goes the folder. pip fetches the wheels, as a process of its own; nothing
of them is run. `target` says what a platform takes, `wheels` fetches and completes, `bundling` writes the folder,
`installer` is what lies in it.
"""
